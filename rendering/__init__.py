"""Liquid, HTML and MIME: text in, text out."""
