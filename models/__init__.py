"""The mathematics of rackwatt: what is given, decided, required and best."""
