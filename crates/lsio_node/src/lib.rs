//! The Node addon of light-speed-io: the only crate that knows JavaScript.
//!
//! It holds one [`lsio::Engine`] for the process and converts: selections and options in, tagged
//! results and buffers out. There is no logic here. Promises are settled from the engine's own threads
//! ([`settled_promise`], [`unsafe_promise_queue`]); decoded elements become array buffers over the same memory
//! ([`unsafe_js_values`]); only memory that the caller shared is written while JavaScript can see it
//! ([`unsafe_shared_output`]), and no environment ends before that is over ([`environment_calls`]).

#![allow(clippy::needless_pass_by_value, reason = "Node-API hands over values")]
#![allow(clippy::trivially_copy_pass_by_ref, reason = "promises borrow from the environment")]
#![allow(clippy::cast_sign_loss, reason = "the facade checked the numbers; negative ones become 0")]
#![allow(unreachable_pub, reason = "what is exported to JavaScript is pub")]
#![allow(clippy::struct_field_names, reason = "units are in names")]

mod array_metadata;
mod codec_functions;
mod engine_functions;
mod engine_info;
mod environment_calls;
mod native_array;
mod native_call;
mod native_error;
mod native_group;
mod native_list;
mod native_memory;
mod native_objects;
mod native_reader;
mod native_results;
mod native_stats;
mod native_storage;
mod packed_selection;
mod process_engine;
mod settled_promise;
mod tagged_json;
mod unsafe_js_values;
mod unsafe_promise_queue;
mod unsafe_shared_output;
