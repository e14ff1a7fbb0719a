"""The live page: what it shows, who draws it, and the server that hands it out.

import aligned_jax as aj
page = aj.view("zoo:personas64", "zoo:critters64")
page.url
page.close()
"""
