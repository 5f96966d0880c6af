"""What a model is: frozen data, its printing, its checks, and a slow, obvious interpreter."""
