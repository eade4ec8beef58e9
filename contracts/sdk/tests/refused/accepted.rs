// Without a mistake, so that the others are refused for theirs alone.
#[sdk::contract]
mod contract {
    use sdk::prelude::*;

    #[table("deals")]
    pub struct Deal {
        #[primary]
        pub id: u64,
        #[secondary]
        pub owner: Name,
    }

    #[action]
    fn open(owner: Name) {
        Table::<Deal>::new(owner, owner).insert(owner, Deal { id: 1, owner });
    }
}
