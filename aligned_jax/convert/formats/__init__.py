"""What programs store, one module each, as descriptions of networks with official names."""
