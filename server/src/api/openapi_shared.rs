//! What every operation of the OpenAPI document shares: a name of its own, and the refusals that come before
//! any handler, because an id, a query or a body cannot be read.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};

/// Adds it.
pub(super) struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            if let Some(post) = item.post.as_mut().filter(|post| post.security.is_some()) {
                takes_a_key(post);
            }
            for (method, operation) in operations(item) {
                operation.operation_id = Some(name(method, path));
                refusals(operation);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// `get_employees_employee_id`: of method and path, as the handlers' names are the same in every module.
fn name(method: &str, path: &str) -> String {
    let path = path
        .trim_start_matches("/api/v1")
        .trim_start_matches("/api");
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |name, word| format!("{name}_{word}"))
}

fn refusals(operation: &mut Operation) {
    let has = |place: &ParameterIn| {
        let all = operation.parameters.iter().flatten();
        all.filter_map(inline).any(|one| one.parameter_in == *place)
    };
    let (path, query) = (has(&ParameterIn::Path), has(&ParameterIn::Query));
    let body = operation.request_body.as_ref().and_then(inline);
    let json = body.is_some_and(|body| body.content.contains_key("application/json"));
    let mut add = |status: &str, why: &str| {
        let responses = &mut operation.responses.responses;
        if !responses.contains_key(status) {
            responses.insert(status.to_owned(), RefOr::T(error(why)));
        }
    };
    if path {
        add("404", "nothing has that id");
    }
    if query || json {
        add("400", "`invalid`: the request cannot be read");
        add("422", "`field` says which");
    }
    if json {
        add("413", "`too_large`");
        add("415", "the body is not JSON");
    }
}

/// Every POST of somebody known can be repeated safely; devices do not need it.
fn takes_a_key(post: &mut Operation) {
    let by_device = post.security.iter().flatten().any(|one| {
        serde_json::to_value(one).is_ok_and(|value| value.get("device_token").is_some())
    });
    if by_device {
        return;
    }
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(16))
        .max_length(Some(255))
        .pattern(Some("^[!-~]+$"));
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Chosen by the caller, such as a random UUID. The same request under the same key within a day makes \
             nothing more and has the same answer, with `Idempotency-Replayed: true`.",
        ))
        .schema(Some(text.build()));
    post.parameters
        .get_or_insert_default()
        .push(RefOr::T(key.build()));
    for (status, why) in [
        (
            "409",
            "`request_runs`: the first request under this `Idempotency-Key` has no answer yet",
        ),
        ("413", "`too_large`"),
        (
            "422",
            "`field` says which; `idempotency_key_reused`: the key was used for another request",
        ),
    ] {
        let responses = &mut post.responses.responses;
        if !responses.contains_key(status) {
            responses.insert(status.to_owned(), RefOr::T(error(why)));
        }
    }
}

fn inline<T>(part: &RefOr<T>) -> Option<&T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}

fn error(description: &str) -> Response {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error")));
    ResponseBuilder::new()
        .description(description)
        .content("application/json", body.build())
        .build()
}
