#include "openapi_schemas.h"

namespace heng::api {

// Paths and schemas of files and batches. The answers for refusals are added to each operation by openapi.cc.
const char* openapi_batch_paths() {
  return R"json({
"/v1/files":{"post":{"operationId":"uploadFile","summary":"Upload a file of requests (JSON Lines) for a batch","tags":["openai"],
  "description":"At most 100 MiB. A line is {\"custom_id\",\"method\":\"POST\",\"url\":ENDPOINT,\"body\":{…}}; lines are read when a batch begins.",
  "requestBody":{"required":true,"content":{"multipart/form-data":{"schema":{"type":"object","required":["file","purpose"],"properties":{"file":{"type":"string","format":"binary"},"purpose":{"const":"batch"},
   "expires_after[anchor]":{"const":"created_at"},"expires_after[seconds]":{"type":"integer","minimum":3600,"maximum":2592000}}}}}},
  "responses":{"200":{"description":"The file.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/File"}}}}}},
 "get":{"operationId":"listFiles","summary":"Files, newest first","tags":["openai"],
  "parameters":[{"name":"purpose","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},{"name":"after","in":"query","description":"Begin behind this id.","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"order","in":"query","schema":{"enum":["asc","desc"]}},{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":10000,"default":10000}}],
  "responses":{"200":{"description":"The files.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/FileList"}}}}}}},
"/v1/files/{id}":{"get":{"operationId":"getFile","summary":"One file","tags":["openai"],"parameters":[{"$ref":"#/components/parameters/Id"}],
  "responses":{"200":{"description":"The file.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/File"}}}}}},
 "delete":{"operationId":"deleteFile","summary":"Delete a file; not while a batch reads it","tags":["openai"],"parameters":[{"$ref":"#/components/parameters/Id"}],
  "responses":{"200":{"description":"Deleted.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/FileDeleted"}}}}}}},
"/v1/files/{id}/content":{"get":{"operationId":"getFileContent","summary":"The bytes of a file","tags":["openai"],"parameters":[{"$ref":"#/components/parameters/Id"}],
  "responses":{"200":{"description":"JSON Lines.","content":{"application/jsonl":{"schema":{"type":"string","format":"binary"}}}}}}},
"/v1/batches":{"post":{"operationId":"createBatch","summary":"Have the lines of a file answered, behind interactive requests","tags":["openai"],
  "description":"Each line gets what the same request would have got: rights, guards, quotas, records. Lines that cannot be read or that fail go to the error file; the batch goes on.",
  "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/NewBatch"}}}},
  "responses":{"200":{"description":"The batch.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Batch"}}}}}},
 "get":{"operationId":"listBatches","summary":"Batches, newest first","tags":["openai"],
  "parameters":[{"name":"after","in":"query","description":"Begin behind this id.","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":100,"default":20}}],
  "responses":{"200":{"description":"The batches.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/BatchList"}}}}}}},
"/v1/batches/{id}":{"get":{"operationId":"getBatch","summary":"One batch with its counts","tags":["openai"],"parameters":[{"$ref":"#/components/parameters/Id"}],
  "responses":{"200":{"description":"The batch.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Batch"}}}}}}},
"/v1/batches/{id}/cancel":{"post":{"operationId":"cancelBatch","summary":"Stop a batch; what is answered stays","tags":["openai"],"parameters":[{"$ref":"#/components/parameters/Id"}],
  "responses":{"200":{"description":"The batch.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Batch"}}}}}}}
})json";
}

const char* openapi_batch_schemas() {
  return R"json({
"File":{"type":"object","required":["id","object","bytes","created_at","expires_at","filename","purpose","status","heng"],"properties":{"id":{"type":"string"},"object":{"const":"file"},"bytes":{"type":"integer"},
  "created_at":{"type":"integer"},"expires_at":{"type":["integer","null"]},"filename":{"type":"string"},"purpose":{"enum":["batch","batch_output"]},"status":{"const":"processed"},"status_details":{"type":"null"},
  "heng":{"type":"object","required":["sha256"],"properties":{"sha256":{"$ref":"#/components/schemas/Sha256"}}}}},
"FileList":{"type":"object","required":["object","data","first_id","last_id","has_more"],"properties":{"object":{"const":"list"},"data":{"type":"array","items":{"$ref":"#/components/schemas/File"}},
  "first_id":{"type":["string","null"]},"last_id":{"type":["string","null"]},"has_more":{"type":"boolean"}}},
"FileDeleted":{"type":"object","required":["id","object","deleted"],"properties":{"id":{"type":"string"},"object":{"const":"file"},"deleted":{"const":true}}},
"NewBatch":{"type":"object","required":["input_file_id","endpoint","completion_window"],"properties":{"input_file_id":{"type":"string","pattern":"^file-[0-9a-f]{24}$"},
  "endpoint":{"enum":["/v1/label","/v1/extract","/v1/chat/completions","/v1/embeddings"]},"completion_window":{"type":"string","description":"Usually \"24h\"; at most 7 days.","pattern":"^[0-9]{1,7}[smhd]$"},
  "metadata":{"type":["object","null"],"maxProperties":16,"propertyNames":{"minLength":1,"maxLength":64},"additionalProperties":{"type":"string","maxLength":512}},
  "output_expires_after":{"type":["object","null"],"properties":{"anchor":{"const":"created_at"},"seconds":{"type":"integer","minimum":3600,"maximum":2592000}}}}},
"Batch":{"type":"object","required":["id","object","endpoint","errors","input_file_id","completion_window","status","output_file_id","error_file_id","created_at","expires_at","request_counts","usage","metadata"],
  "properties":{"id":{"type":"string"},"object":{"const":"batch"},"endpoint":{"type":"string"},"errors":{"type":["object","null"],"properties":{"object":{"const":"list"},"data":{"type":"array","items":{"type":"object",
   "required":["code","message","param","line"],"properties":{"code":{"type":"string"},"message":{"type":"string"},"param":{"type":["string","null"]},"line":{"type":["integer","null"]}}}}}},
  "input_file_id":{"type":"string"},"completion_window":{"type":"string"},"status":{"enum":["validating","in_progress","finalizing","completed","failed","expired","cancelling","cancelled"]},
  "output_file_id":{"type":["string","null"]},"error_file_id":{"type":["string","null"]},"created_at":{"type":"integer"},"in_progress_at":{"type":["integer","null"]},"expires_at":{"type":["integer","null"]},
  "finalizing_at":{"type":["integer","null"]},"completed_at":{"type":["integer","null"]},"failed_at":{"type":["integer","null"]},"expired_at":{"type":["integer","null"]},"cancelling_at":{"type":["integer","null"]},
  "cancelled_at":{"type":["integer","null"]},"request_counts":{"type":"object","required":["total","completed","failed"],"properties":{"total":{"type":"integer"},"completed":{"type":"integer"},"failed":{"type":"integer"}}},
  "usage":{"type":"object","required":["input_tokens","output_tokens","total_tokens"]},"metadata":{"type":["object","null"]}}},
"BatchList":{"type":"object","required":["object","data","first_id","last_id","has_more"],"properties":{"object":{"const":"list"},"data":{"type":"array","items":{"$ref":"#/components/schemas/Batch"}},
  "first_id":{"type":["string","null"]},"last_id":{"type":["string","null"]},"has_more":{"type":"boolean"}}}
})json";
}

}  // namespace heng::api
