import CTSimCNE
import TSimCNE
@_cdecl("tsimcne_abi_version")
public func tsimcne_abi_version() -> Int32 { 1 }
