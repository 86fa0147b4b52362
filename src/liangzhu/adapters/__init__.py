"""Adapters: one folder per neighbour. Nobody imports them; they register by settings."""
