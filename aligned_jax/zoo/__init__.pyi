from .listing import names as names
