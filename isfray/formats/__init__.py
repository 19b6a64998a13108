"""Files to models, and back: parameter files, morphologies, mechanisms, results of other programs."""
