"""The sweep file, and the points that it stands for."""
