"""A run as one HTML file: inline SVG, no network, light and dark, for screens and paper."""
