"""Arrays in, arrays out. Kernels know no instrument, no pupil, no file; NumPy only."""
