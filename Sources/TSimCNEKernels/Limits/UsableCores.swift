import CPlatform

/// Cores this process may use: its affinity, and the quotas of its control groups rounded up.
public func usableCores() -> Int {
    let cores = Int(cplatform_affinity_count())
    return max(1, min(cores, ControlGroups.system.cores ?? cores))
}
