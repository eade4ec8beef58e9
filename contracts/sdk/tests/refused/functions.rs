//~ a contract has no self: its state is its tables
//~ an argument needs a plain name: the ABI shows it
//~ no type parameters here: an ABI has plain types only
//~ an action cannot wait: it runs to its end or fails
pub struct Contract;

#[sdk::contract]
impl Contract {
    #[action]
    fn with(&self) {}

    #[action]
    fn parts((a, b): (u64, u64)) {}

    #[action]
    fn generic<T>(value: T) {}

    #[action]
    async fn waits() {}
}
