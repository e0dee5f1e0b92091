#pragma once

namespace heng::api {

/// The schemas of /openapi.json as one JSON object.
const char* openapi_schemas();
/// The schemas of reviews and of what governs; the same form.
const char* openapi_govern_schemas();
/// Paths (without refusals) and schemas of streams, alerts and briefs.
const char* openapi_stream_paths();
const char* openapi_stream_schemas();
/// Paths (without refusals) and schemas of signing in elsewhere and of policies.
const char* openapi_access_paths();
const char* openapi_access_schemas();
/// The same of files and batches.
const char* openapi_batch_paths();
const char* openapi_batch_schemas();

}  // namespace heng::api
