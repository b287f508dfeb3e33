// Tensors, programs and threads are part of the public interface of the method.
@_exported import TSimCNEKernels
