//! Which protocol features a header may activate (nodeos: controller.cpp `check_protocol_features`).

use consensus::{ActivatedFeatures, BlockHeaderState};
use execution::Feature;
use execution::features::Restrictions;
use primitives::{BlockTimestamp, Checksum256, Fault, FaultKind, ensure};

use crate::Chain;

impl Chain {
    /// Whether the head's next block could activate these features, preactivation aside
    /// (`controller::validate_protocol_features`).
    ///
    /// # Errors
    /// `protocol_feature_exception`.
    pub fn check_features(&self, features: &[Checksum256]) -> Result<(), Fault> {
        let BlockHeaderState { activated_protocol_features, .. } = &self.head.header;
        let slot = self.head.header.timestamp();
        check_features(self.feature_restrictions(), slot, activated_protocol_features, features)
    }

    /// What the operator says of features; it binds received blocks too.
    pub fn feature_restrictions(&self) -> &Restrictions {
        &self.world.settings.features
    }
}

/// The check of headers, with a node's restrictions.
pub(crate) fn feature_check(
    restrictions: &Restrictions,
) -> impl Fn(BlockTimestamp, &ActivatedFeatures, &[Checksum256]) -> Result<(), Fault> + '_ {
    |slot, active, new| check_features(restrictions, slot, active, new)
}

/// Every feature must be known and not restricted here, not active yet, and have its dependencies active or before it in
/// the list.
///
/// # Errors
/// `protocol_feature_exception`.
pub(crate) fn check_features(
    restrictions: &Restrictions,
    slot: BlockTimestamp,
    active: &ActivatedFeatures,
    new: &[Checksum256],
) -> Result<(), Fault> {
    for (index, digest) in new.iter().enumerate() {
        let feature = restrictions
            .recognize(digest, slot.time())
            .map_err(|message| Fault::new(FaultKind::PROTOCOL_FEATURE_EXCEPTION, message))?;
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
