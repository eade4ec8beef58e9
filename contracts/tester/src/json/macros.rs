//! `json!`: values as JSON writes them, with expressions in them.

/// A value of JSON, written as JSON: `json!({ "from": from, "amounts": [1, 2], "memo": null })`. Where a value or a name
/// may stand, so may an expression of Rust, a name in parentheses where it is more than one word; expressions are only
/// looked at, not moved.
#[macro_export]
macro_rules! json {
    (null) => { $crate::Value::Null };
    ([ $($inside:tt)* ]) => {{
        #[allow(unused_mut, reason = "an empty list")]
        let mut list = ::std::vec::Vec::<$crate::Value>::new();
        $crate::json!(@list list $($inside)*);
        $crate::Value::Array(list)
    }};
    ({ $($inside:tt)* }) => {{
        #[allow(unused_mut, reason = "an empty object")]
        let mut object = ::std::collections::BTreeMap::<::std::string::String, $crate::Value>::new();
        $crate::json!(@object object $($inside)*);
        $crate::Value::Object(object)
    }};

    (@list $list:ident) => {};
    (@list $list:ident null $(, $($rest:tt)*)?) => { $crate::json!(@add $list null; $($($rest)*)?) };
    (@list $list:ident [ $($value:tt)* ] $(, $($rest:tt)*)?) => { $crate::json!(@add $list [ $($value)* ]; $($($rest)*)?) };
    (@list $list:ident { $($value:tt)* } $(, $($rest:tt)*)?) => { $crate::json!(@add $list { $($value)* }; $($($rest)*)?) };
    (@list $list:ident $value:expr $(, $($rest:tt)*)?) => { $crate::json!(@add $list ($value); $($($rest)*)?) };
    (@add $list:ident $value:tt; $($rest:tt)*) => {
        $list.push($crate::json!($value));
        $crate::json!(@list $list $($rest)*);
    };

    (@object $object:ident) => {};
    (@object $object:ident $name:tt : null $(, $($rest:tt)*)?) => {
        $crate::json!(@set $object $name null; $($($rest)*)?)
    };
    (@object $object:ident $name:tt : [ $($value:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::json!(@set $object $name [ $($value)* ]; $($($rest)*)?)
    };
    (@object $object:ident $name:tt : { $($value:tt)* } $(, $($rest:tt)*)?) => {
        $crate::json!(@set $object $name { $($value)* }; $($($rest)*)?)
    };
    (@object $object:ident $name:tt : $value:expr $(, $($rest:tt)*)?) => {
        $crate::json!(@set $object $name ($value); $($($rest)*)?)
    };
    (@set $object:ident $name:tt $value:tt; $($rest:tt)*) => {
        #[allow(unused_parens, reason = "a name of several words stands in parentheses")]
        $object.insert(::std::string::String::from($name), $crate::json!($value));
        $crate::json!(@object $object $($rest)*);
    };

    ($value:expr) => {
        {
            #[allow(unused_parens, reason = "an expression comes here in parentheses")]
            let value = $crate::ToJson::to_json(&$value);
            value
        }
    };
}
