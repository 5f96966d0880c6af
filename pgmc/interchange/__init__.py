"""Other libraries' models in, and samples out to them; one file for each format."""
