//! The folder in which an operator says which protocol features may be activated, as nodeos keeps it: one
//! `BUILTIN-NAME.json` for each, written when it is missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use execution::features::{FEATURES, Feature, FeatureSpec, Restriction, Restrictions};
use primitives::{Checksum256, TimePoint};
use serde::{Deserialize, Serialize};

/// A file of the folder. Its order is nodeos'.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    protocol_feature_type: String,
    #[serde(default)]
    dependencies: Vec<Checksum256>,
    #[serde(default)]
    description_digest: Checksum256,
    #[serde(default)]
    subjective_restrictions: Said,
    #[serde(default)]
    builtin_feature_codename: String,
}

/// What is said of the feature. What is left out forbids, as for nodeos.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Said {
    earliest_allowed_activation_time: TimePoint,
    preactivation_required: bool,
    enabled: bool,
}

impl Document {
    /// What a feature's file says where nobody changed it.
    fn built_in(spec: &FeatureSpec) -> Self {
        let Restriction { enabled, preactivation_required, earliest } = Restrictions::built_in(spec.feature);
        Self {
            protocol_feature_type: "builtin".to_owned(),
            dependencies: dependencies(spec),
            description_digest: spec.description_digest,
            subjective_restrictions: Said {
                earliest_allowed_activation_time: earliest,
                preactivation_required,
                enabled,
            },
            builtin_feature_codename: spec.codename.to_owned(),
        }
    }

    /// The bytes of its file.
    fn written(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("a feature has a JSON form")
    }

    /// The feature that it is about; none for one that this node does not have.
    fn feature(&self) -> anyhow::Result<Option<Feature>> {
        anyhow::ensure!(
            self.protocol_feature_type == "builtin",
            "its protocol_feature_type is \"{}\"; there are only features of type \"builtin\"",
            self.protocol_feature_type
        );
        let Some(feature) = Feature::by_codename(&self.builtin_feature_codename) else { return Ok(None) };
        let spec = feature.spec();
        // Both enter the digest, under which blocks and contracts name the feature.
        anyhow::ensure!(
            self.description_digest == spec.description_digest && self.dependencies == dependencies(spec),
            "its description_digest and dependencies are not those of {} on every Antelope chain; only \
             subjective_restrictions may be changed",
            spec.codename
        );
        Ok(Some(feature))
    }
}

fn dependencies(spec: &FeatureSpec) -> Vec<Checksum256> {
    let mut digests: Vec<_> = spec.dependencies.iter().map(|on| on.digest()).collect();
    digests.sort_unstable();
    digests
}

/// Reads the folder, and writes what is missing there.
///
/// # Errors
/// A file cannot be read, is about no feature, or about one that another file is about.
pub fn open(folder: &Path) -> anyhow::Result<Restrictions> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}; see --protocol-features-dir", folder.display()))?;
    let mut restrictions = Restrictions::default();
    let mut found: BTreeMap<Feature, PathBuf> = BTreeMap::new();
    for path in documents(folder)? {
        let not_one = || format!("{} does not describe a protocol feature", path.display());
        let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if is_cut_off(&text) {
            tracing::warn!("{} ends too early, as after a loss of power: it is written anew", path.display());
            continue;
        }
        let document: Document = serde_json::from_slice(&text).with_context(not_one)?;
        let Some(feature) = document.feature().with_context(not_one)? else {
            tracing::warn!(
                "{} is left out: this node does not have the protocol feature {}",
                path.display(),
                document.builtin_feature_codename
            );
            continue;
        };
        let said = document.subjective_restrictions;
        let restriction = Restriction {
            enabled: said.enabled,
            preactivation_required: said.preactivation_required,
            earliest: said.earliest_allowed_activation_time,
        };
        tell(feature.spec(), restriction);
        restrictions.set(feature, restriction);
        if let Some(other) = found.insert(feature, path.clone()) {
            anyhow::bail!(
                "{} and {} are both about the protocol feature {}; remove one",
                other.display(),
                path.display(),
                feature.spec().codename
            );
        }
    }
    for spec in FEATURES.iter().filter(|spec| !found.contains_key(&spec.feature)) {
        let path = folder.join(format!("BUILTIN-{}.json", spec.codename));
        let text = Document::built_in(spec).written();
        if let Err(error) = std::fs::write(&path, text) {
            tracing::warn!("cannot write {}: {error}; its feature is not restricted", path.display());
        }
    }
    Ok(restrictions)
}

/// Whether a file is what a loss of power leaves of one that was just written: its beginning, and zeros. Nothing that an
/// operator wrote is lost with it.
fn is_cut_off(text: &[u8]) -> bool {
    let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let is_beginning = |spec: &FeatureSpec| {
        let whole = Document::built_in(spec).written();
        whole.len() > end && whole.starts_with(&text[..end])
    };
    FEATURES.iter().any(is_beginning)
}

/// The JSON files of the folder, by name.
fn documents(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot_read = || format!("cannot read the folder {}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        if path.extension().is_some_and(|extension| extension == "json") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// Says of a feature what nodeos says, louder where the operator changed something.
fn tell(spec: &FeatureSpec, restriction: Restriction) {
    let named = format!("builtin protocol feature '{}' (with digest of '{}')", spec.codename, spec.digest);
    if restriction == Restrictions::built_in(spec.feature) {
        tracing::debug!("{named} is not restricted");
    } else if !restriction.enabled {
        tracing::info!("Recognized {named} but support for it is not enabled");
    } else {
        let needs = if restriction.preactivation_required { "with" } else { "without" };
        tracing::info!(
            "Support for {named} is enabled {needs} preactivation required and with an earliest allowed activation \
             time of {}",
            restriction.earliest
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What nodeos 4.1 writes.
    const NO_DUPLICATE_DEFERRED_ID: &str = r#"{
  "protocol_feature_type": "builtin",
  "dependencies": [
    "ef43112c6543b88db2283a2e077278c315ae2c84719a8b25f25cc88565fbea99"
  ],
  "description_digest": "45967387ee92da70171efd9fefd1ca8061b5efe6f124d269cd2468b47f1575a0",
  "subjective_restrictions": {
    "earliest_allowed_activation_time": "1970-01-01T00:00:00.000",
    "preactivation_required": true,
    "enabled": true
  },
  "builtin_feature_codename": "NO_DUPLICATE_DEFERRED_ID"
}"#;

    #[test]
    fn files_are_written_as_nodeos_writes_them_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("protocol_features");
        assert_eq!(open(&folder).unwrap(), Restrictions::default());
        assert_eq!(documents(&folder).unwrap().len(), FEATURES.len());
        let path = folder.join("BUILTIN-NO_DUPLICATE_DEFERRED_ID.json");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), NO_DUPLICATE_DEFERRED_ID);

        let changed =
            NO_DUPLICATE_DEFERRED_ID.replace("1970", "2030").replace("\"enabled\": true", "\"enabled\": false");
        std::fs::write(&path, &changed).unwrap();
        let said = open(&folder).unwrap().of(Feature::NoDuplicateDeferredId);
        let earliest = "2030-01-01T00:00:00.000".parse().unwrap();
        assert_eq!(said, Restriction { enabled: false, preactivation_required: true, earliest });

        std::fs::write(&path, NO_DUPLICATE_DEFERRED_ID.replace("enabled", "other")).unwrap();
        assert!(!open(&folder).unwrap().of(Feature::NoDuplicateDeferredId).enabled, "what is left out forbids");
    }

    #[test]
    fn files_that_end_too_early_are_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("BUILTIN-NO_DUPLICATE_DEFERRED_ID.json");
        open(folder.path()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 1, whole.len() - 1] {
            let zeros = vec![0; whole.len() - length];
            for left in [&whole[..length], &[&whole[..length], &zeros].concat()] {
                std::fs::write(&path, left).unwrap();
                assert_eq!(open(folder.path()).unwrap(), Restrictions::default());
                assert_eq!(std::fs::read(&path).unwrap(), whole);
            }
        }
        // It was changed, so it is not this node's to write.
        let changed = String::from_utf8(whole).unwrap().replace("true", "false");
        std::fs::write(&path, &changed[..changed.len() - 2]).unwrap();
        assert!(open(folder.path()).is_err());
    }

    #[test]
    fn wrong_files_are_named_with_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("BUILTIN-NO_DUPLICATE_DEFERRED_ID.json");
        let wrong = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let message = format!("{:#}", open(folder.path()).unwrap_err());
            assert!(message.contains("BUILTIN-NO_DUPLICATE_DEFERRED_ID.json"), "{message}");
            message
        };
        wrong("{]");
        assert!(wrong(&NO_DUPLICATE_DEFERRED_ID.replace("45967387", "45967388")).contains("description_digest"));
        assert!(wrong(&NO_DUPLICATE_DEFERRED_ID.replace("\"builtin\"", "\"other\"")).contains("protocol_feature_type"));
        assert!(wrong(&NO_DUPLICATE_DEFERRED_ID.replace("true", "\"maybe\"")).contains("maybe"));
        std::fs::write(&path, NO_DUPLICATE_DEFERRED_ID).unwrap();
        let twin = folder.path().join("twin.json");
        std::fs::write(&twin, NO_DUPLICATE_DEFERRED_ID).unwrap();
        assert!(open(folder.path()).unwrap_err().to_string().contains("twin.json"));
        std::fs::write(&twin, NO_DUPLICATE_DEFERRED_ID.replace("NO_DUPLICATE_DEFERRED_ID", "LATER_FEATURE")).unwrap();
        assert_eq!(open(folder.path()).unwrap(), Restrictions::default());
    }
}
