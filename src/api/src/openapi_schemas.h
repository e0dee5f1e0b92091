#pragma once

namespace heng::api {

/// The schemas of /openapi.json as one JSON object.
const char* openapi_schemas();

}  // namespace heng::api
