"""Networks, tensor in and tensor out, and the one loop that trains them. Needs the extra `learn`.

settings     what a network is, as plain numbers that go into its file
grouped      the block-sparse linear map and its exact adjoint
sparsify     the S_x largest components, and their values in steps
trunk        image -> feature maps, and feature maps -> image
bottleneck   the auto-encoders of the PRIMIS paper: paper, independent, progressive
reference    the layout that was released with that paper, to compare with
fit          the training loop
weights      a trained network as one safetensors file: tensors, settings, statistics, model card
"""
