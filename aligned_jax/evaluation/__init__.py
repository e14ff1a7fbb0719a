"""Scores of generators and of folders of images: pictures in, numbers with their origin out."""
