//! Which protocol features a header may activate (nodeos: controller.cpp `check_protocol_features`).

use consensus::ActivatedFeatures;
use execution::Feature;
use primitives::{BlockTimestamp, Checksum256, Fault, FaultKind, ensure};

/// Every feature must be known, not active yet, and have its dependencies active or before it in the list.
///
/// # Errors
/// `protocol_feature_exception`.
pub(crate) fn check_features(
    _slot: BlockTimestamp,
    active: &ActivatedFeatures,
    new: &[Checksum256],
) -> Result<(), Fault> {
    for (index, digest) in new.iter().enumerate() {
        let Some(feature) = Feature::by_digest(digest) else {
            let message = format!("protocol feature with digest '{digest}' is unrecognized");
            return Err(Fault::new(FaultKind::PROTOCOL_FEATURE_EXCEPTION, message));
        };
        ensure!(
            !active.contains(digest),
            PROTOCOL_FEATURE_EXCEPTION,
            "protocol feature with digest '{digest}' has already been activated"
        );
        let known = |dependency: &Feature| {
            let digest = dependency.digest();
            active.contains(&digest) || new[..index].contains(&digest)
        };
        ensure!(
            feature.spec().dependencies.iter().all(known),
            PROTOCOL_FEATURE_EXCEPTION,
            "not all dependencies of protocol feature with digest '{digest}' have been activated"
        );
    }
    Ok(())
}

/// Whether several signatures and schedules with authorities are allowed in a block after these features.
pub(crate) fn wtmsig_before(features: &ActivatedFeatures) -> bool {
    features.contains(&Feature::WtmsigBlockSignatures.digest())
}
