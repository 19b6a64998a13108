"""NEURON: the only room that imports it. Mechanisms, the live cell, NEURON's steps and CoreNEURON's."""
