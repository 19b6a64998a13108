"""What is simulated, as plain validated data: files, morphology, cell, network, embedding."""

from isfray.model.network import NetworkModel, Population, Receptor, load_network, network_from_inputs

__all__ = ["NetworkModel", "Population", "Receptor", "load_network", "network_from_inputs"]
