"""Equations of chapter 20 of *Deep Learning* (Goodfellow, Bengio and Courville 2016), written by hand in NumPy.

One file per family of models. A function is one equation for one example: its arguments have the names of the
variables and parameters of the specification in models/, so that the two can be evaluated side by side. Nothing here
knows of pgmc.
"""
