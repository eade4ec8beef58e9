//! The protocol features of Leap 4: their digests, dependencies, and which of them switch on host functions.
//! They are activated by [`crate::onblock::activate_features`] when a block begins.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use primitives::{Checksum256, Sha256, TimePoint};
use serde_json::{Map, Value, json};

/// A built-in protocol feature. The number is nodeos' and enters the feature's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
#[expect(missing_docs, reason = "nodeos' names, explained by the table below")]
pub enum Feature {
    PreactivateFeature = 0,
    OnlyLinkToExistingPermission = 1,
    ReplaceDeferred = 2,
    NoDuplicateDeferredId = 3,
    FixLinkauthRestriction = 4,
    DisallowEmptyProducerSchedule = 5,
    RestrictActionToSelf = 6,
    OnlyBillFirstAuthorizer = 7,
    ForwardSetcode = 8,
    GetSender = 9,
    RamRestrictions = 10,
    WebauthnKey = 11,
    WtmsigBlockSignatures = 12,
    ActionReturnValue = 13,
    BlockchainParameters = 16,
    GetCodeHash = 17,
    ConfigurableWasmLimits2 = 18,
    CryptoPrimitives = 19,
    GetBlockNum = 20,
}

/// What is known of a feature.
#[derive(Debug)]
pub struct FeatureSpec {
    /// The feature.
    pub feature: Feature,
    /// nodeos' name.
    pub codename: &'static str,
    /// Hash of its description.
    pub description_digest: Checksum256,
    /// Features that must be active before it.
    pub dependencies: &'static [Feature],
    /// Host functions that it makes importable.
    pub intrinsics: &'static [&'static str],
    /// Its digest: how blocks and contracts name it.
    pub digest: Checksum256,
}

/// Codename, description digest, dependencies, host functions; as in protocol_feature_manager.cpp.
type Row = (Feature, &'static str, &'static str, &'static [Feature], &'static [&'static str]);

#[rustfmt::skip]
const TABLE: [Row; 19] = [
    (Feature::PreactivateFeature, "PREACTIVATE_FEATURE", "64fe7df32e9b86be2b296b3f81dfd527f84e82b98e363bc97e40bc7a83733310", &[], &["preactivate_feature", "is_feature_activated"]),
    (Feature::OnlyLinkToExistingPermission, "ONLY_LINK_TO_EXISTING_PERMISSION", "f3c3d91c4603cde2397268bfed4e662465293aab10cd9416db0d442b8cec2949", &[], &[]),
    (Feature::ReplaceDeferred, "REPLACE_DEFERRED", "9908b3f8413c8474ab2a6be149d3f4f6d0421d37886033f27d4759c47a26d944", &[], &[]),
    (Feature::NoDuplicateDeferredId, "NO_DUPLICATE_DEFERRED_ID", "45967387ee92da70171efd9fefd1ca8061b5efe6f124d269cd2468b47f1575a0", &[Feature::ReplaceDeferred], &[]),
    (Feature::FixLinkauthRestriction, "FIX_LINKAUTH_RESTRICTION", "a98241c83511dc86c857221b9372b4aa7cea3aaebc567a48604e1d3db3557050", &[], &[]),
    (Feature::DisallowEmptyProducerSchedule, "DISALLOW_EMPTY_PRODUCER_SCHEDULE", "2853617cec3eabd41881eb48882e6fc5e81a0db917d375057864b3befbe29acd", &[], &[]),
    (Feature::RestrictActionToSelf, "RESTRICT_ACTION_TO_SELF", "e71b6712188391994c78d8c722c1d42c477cf091e5601b5cf1befd05721a57f3", &[], &[]),
    (Feature::OnlyBillFirstAuthorizer, "ONLY_BILL_FIRST_AUTHORIZER", "2f1f13e291c79da5a2bbad259ed7c1f2d34f697ea460b14b565ac33b063b73e2", &[], &[]),
    (Feature::ForwardSetcode, "FORWARD_SETCODE", "898082c59f921d0042e581f00a59d5ceb8be6f1d9c7a45b6f07c0e26eaee0222", &[], &[]),
    (Feature::GetSender, "GET_SENDER", "1eab748b95a2e6f4d7cb42065bdee5566af8efddf01a55a0a8d831b823f8828a", &[], &["get_sender"]),
    (Feature::RamRestrictions, "RAM_RESTRICTIONS", "1812fdb5096fd854a4958eb9d53b43219d114de0e858ce00255bd46569ad2c68", &[], &[]),
    (Feature::WebauthnKey, "WEBAUTHN_KEY", "927fdf78c51e77a899f2db938249fb1f8bb38f4e43d9c1f75b190492080cbc34", &[], &[]),
    (Feature::WtmsigBlockSignatures, "WTMSIG_BLOCK_SIGNATURES", "ab76031cad7a457f4fd5f5fca97a3f03b8a635278e0416f77dcc91eb99a48e10", &[], &["set_proposed_producers_ex"]),
    (Feature::ActionReturnValue, "ACTION_RETURN_VALUE", "69b064c5178e2738e144ed6caa9349a3995370d78db29e494b3126ebd9111966", &[], &["set_action_return_value"]),
    (Feature::BlockchainParameters, "BLOCKCHAIN_PARAMETERS", "70787548dcea1a2c52c913a37f74ce99e6caae79110d7ca7b859936a0075b314", &[], &["get_parameters_packed", "set_parameters_packed"]),
    (Feature::GetCodeHash, "GET_CODE_HASH", "d2596697fed14a0840013647b99045022ae6a885089f35a7e78da7a43ad76ed4", &[], &["get_code_hash"]),
    (Feature::ConfigurableWasmLimits2, "CONFIGURABLE_WASM_LIMITS2", "8139e99247b87f18ef7eae99f07f00ea3adf39ed53f4d2da3f44e6aa0bfd7c62", &[], &["set_wasm_parameters_packed", "get_wasm_parameters_packed"]),
    (Feature::CryptoPrimitives, "CRYPTO_PRIMITIVES", "68d6405cb8df3de95bd834ebb408196578500a9f818ff62ccc68f60b932f7d82", &[], &["alt_bn128_add", "alt_bn128_mul", "alt_bn128_pair", "mod_exp", "blake2_f", "sha3", "k1_recover"]),
    (Feature::GetBlockNum, "GET_BLOCK_NUM", "e5d7992006e628a38c5e6c28dd55ff5e57ea682079bf41fef9b3cced0f46b491", &[], &["get_block_num"]),
];

/// All features, ascending by number.
pub static FEATURES: LazyLock<Vec<FeatureSpec>> = LazyLock::new(|| {
    let mut specs: Vec<FeatureSpec> = Vec::with_capacity(TABLE.len());
    for (feature, codename, description, dependencies, intrinsics) in TABLE {
        let description_digest = digest_from_hex(description);
        let mut digests: Vec<Checksum256> = dependencies
            .iter()
            .map(|on| specs.iter().find(|spec| spec.feature == *on).expect("dependencies come first").digest)
            .collect();
        digests.sort_unstable();
        let digest = Sha256::packed(&(0u32, description_digest, digests, feature as u32));
        specs.push(FeatureSpec { feature, codename, description_digest, dependencies, intrinsics, digest });
    }
    specs
});

fn digest_from_hex(text: &str) -> Checksum256 {
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).expect("the table holds hexadecimal digits");
    }
    Checksum256(bytes)
}

impl Feature {
    /// Its row of the table.
    pub fn spec(self) -> &'static FeatureSpec {
        FEATURES.iter().find(|spec| spec.feature == self).expect("every feature has a row")
    }

    /// Its digest.
    pub fn digest(self) -> Checksum256 {
        self.spec().digest
    }

    /// The feature that `digest` names.
    pub fn by_digest(digest: &Checksum256) -> Option<Self> {
        FEATURES.iter().find(|spec| spec.digest == *digest).map(|spec| spec.feature)
    }

    /// The feature that nodeos calls `codename`.
    pub fn by_codename(codename: &str) -> Option<Self> {
        FEATURES.iter().find(|spec| spec.codename == codename).map(|spec| spec.feature)
    }

    /// Whether it must be pre-activated by a contract unless the operator says otherwise; only the first one need not.
    pub fn preactivation_required(self) -> bool {
        self != Self::PreactivateFeature
    }
}

/// What an operator says of a feature (nodeos: `protocol_feature_subjective_restrictions`). Unlike all other settings it
/// binds received blocks too: a node does not follow a chain that activates what it was told not to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restriction {
    /// Whether it may be activated at all.
    pub enabled: bool,
    /// Whether a contract must pre-activate it.
    pub preactivation_required: bool,
    /// The earliest block time at which it may be activated.
    pub earliest: TimePoint,
}

/// What an operator says of the features; the default restricts none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restrictions(BTreeMap<Feature, Restriction>);

impl Restrictions {
    /// What is said of a feature where nobody said anything.
    pub fn built_in(feature: Feature) -> Restriction {
        let preactivation_required = feature.preactivation_required();
        Restriction { enabled: true, preactivation_required, earliest: TimePoint(0) }
    }

    /// What is said of a feature.
    pub fn of(&self, feature: Feature) -> Restriction {
        self.0.get(&feature).copied().unwrap_or_else(|| Self::built_in(feature))
    }

    /// Says something of a feature.
    pub fn set(&mut self, feature: Feature, restriction: Restriction) {
        if restriction == Self::built_in(feature) {
            self.0.remove(&feature);
        } else {
            self.0.insert(feature, restriction);
        }
    }

    /// The feature that a digest names, if a block of this time may activate it.
    ///
    /// # Errors
    /// nodeos' words for a feature that is unknown, disabled or too early.
    pub fn recognize(&self, digest: &Checksum256, time: TimePoint) -> Result<Feature, String> {
        let named = format!("protocol feature with digest '{digest}'");
        let feature = Feature::by_digest(digest).ok_or_else(|| format!("{named} is unrecognized"))?;
        let restriction = self.of(feature);
        if !restriction.enabled {
            return Err(format!("{named} is disabled"));
        }
        if restriction.earliest > time {
            return Err(format!("{time} is too early for the earliest allowed activation time of the {named}"));
        }
        Ok(feature)
    }
}

impl FeatureSpec {
    /// The feature as nodeos describes it, with what an operator says of it or without.
    pub fn to_json(&self, restriction: Option<Restriction>) -> Value {
        let hex = |digest: &Checksum256| digest.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let dependencies: Vec<String> = self.dependencies.iter().map(|on| hex(&on.digest())).collect();
        let mut fields = Map::new();
        fields.insert("feature_digest".to_owned(), hex(&self.digest).into());
        if let Some(restriction) = restriction {
            let said = json!({
                "enabled": restriction.enabled,
                "preactivation_required": restriction.preactivation_required,
                "earliest_allowed_activation_time": restriction.earliest.to_string(),
            });
            fields.insert("subjective_restrictions".to_owned(), said);
        }
        fields.insert("description_digest".to_owned(), hex(&self.description_digest).into());
        fields.insert("dependencies".to_owned(), dependencies.into());
        fields.insert("protocol_feature_type".to_owned(), "builtin".into());
        let codename = json!({"name": "builtin_feature_codename", "value": self.codename});
        fields.insert("specification".to_owned(), json!([codename]));
        Value::Object(fields)
    }
}

/// All features in nodeos' order: ascending by digest.
pub fn supported_features() -> Vec<&'static FeatureSpec> {
    let mut specs: Vec<_> = FEATURES.iter().collect();
    specs.sort_unstable_by_key(|spec| spec.digest);
    specs
}

/// A set of features, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeatureSet(u32);

impl FeatureSet {
    /// The set of the features that these digests name; unknown ones are left out.
    pub fn of_digests<'a>(digests: impl IntoIterator<Item = &'a Checksum256>) -> Self {
        let mut set = Self::default();
        for feature in digests.into_iter().filter_map(Feature::by_digest) {
            set.insert(feature);
        }
        set
    }

    /// Whether `feature` is in the set.
    pub fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u32) != 0
    }

    /// Adds `feature`.
    pub fn insert(&mut self, feature: Feature) {
        self.0 |= 1 << feature as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_every_antelope_chain() {
        let expected = [
            "0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd",
            "1a99a59d87e06e09ec5b028a9cbb7749b4a5ad8819004365d02dc4379a8b7241",
            "ef43112c6543b88db2283a2e077278c315ae2c84719a8b25f25cc88565fbea99",
            "4a90c00d55454dc5b059055ca213579c6ea856967712a56017487886a4d4cc0f",
            "e0fb64b1085cc5538970158d05a009c24e276fb94e1a0bf6a528b48fbc4ff526",
            "68dcaa34c0517d19666e6b33add67351d8c5f69e999ca1e37931bc410a297428",
            "ad9e3d8f650687709fd68f4b90b41f7d825a365b02c23a636cef88ac2ac00c43",
            "8ba52fe7a3956c5cd3a656a3174b931d3bb2abb45578befc59f283ecd816a405",
            "2652f5f96006294109b3dd0bbde63693f55324af452b799ee137a81a905eed25",
            "f0af56d2c5a48d60a4a5b5c903edfb7db3a736a94ed589d0b797df33ff9d3e1d",
            "4e7bf348da00a945489b2a681749eb56f5de00b900014e137ddae39f48f69d67",
            "4fca8bd82bbd181e714e283f83e1b45d95ca5af40fb89ad3977b653c448f78c2",
            "299dcb6af692324b899b39f16d5a530a33062804e41f09dc97e9f156b4476707",
            "c3a6138c5061cf291310887c0b5c71fcaffeab90d5deb50d3b9e687cead45071",
            "5443fcf88330c586bc0e5f3dee10e7f63c76c00249c87fe4fbf7f38c082006b4",
            "bcd2a26394b36614fd4894241d3c451ab0f6fd110958c3423073621a70826e99",
            "d528b9f6e9693f45ed277af93474fd473ce7d831dae2180cca35d907bd10cb40",
            "6bcb40a24e49c26d0a60513b6aeb8551d264e4717f306b81a37a5afb3b47cedc",
            "35c2186cc36f7bb4aeaf4487b36e57039ccf45a9136aa856a5d569ecca55ef2b",
        ];
        assert_eq!(FEATURES.iter().map(|spec| spec.digest).collect::<Vec<_>>(), expected.map(digest_from_hex));
        assert_eq!(FeatureSet::of_digests(&expected.map(digest_from_hex)).0.count_ones(), 19);
    }
}
