"""What is simulated, as plain validated data: files, morphology, cell, network, embedding."""
