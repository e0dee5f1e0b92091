#pragma once

#include <string>

#include "heng/contracts/insight.h"

namespace heng::api {

/// One line of `heng extract` and one result of /v1/extract: {"id","events":[{"type","confidence","mentions":[{"word","span",
/// "role"}]}]}, with "entities":[{"type","word","span","id","name","value"}] instead where the task finds entities; or
/// {"id","error":{"code","message"}}. `id_json`: the item's own id as JSON text, "null" where it had none.
std::string extraction_to_json(const std::string& id_json, const Result<ExtractionResult>& outcome, bool entities);

}  // namespace heng::api
