"""Files and what they contain, parsed without running anything: pickles, zips, safetensors."""
