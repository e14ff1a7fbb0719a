from .comparison import Comparison as Comparison
from .comparison import compare as compare
from .editing import ChannelEdit as ChannelEdit
from .editing import edit as edit
from .families import family as family
from .sheet import Sheet as Sheet
from .transitions import transition as transition
