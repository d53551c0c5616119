package api

import "net/http"

// statuses are the HTTP statuses of all problem codes, which docs/api.md explains. A code has one status, and keeps it.
var statuses = map[string]int{
	"binary_event":              http.StatusBadRequest,
	"body_incomplete":           http.StatusBadRequest,
	"body_missing":              http.StatusBadRequest,
	"connection_closed":         http.StatusBadRequest,
	"crossed_range":             http.StatusBadRequest,
	"empty_batch":               http.StatusBadRequest,
	"event_too_far_ahead":       http.StatusBadRequest,
	"invalid_actor":             http.StatusBadRequest,
	"invalid_cursor":            http.StatusBadRequest,
	"invalid_event_id":          http.StatusBadRequest,
	"invalid_event_time":        http.StatusBadRequest,
	"invalid_event_type":        http.StatusBadRequest,
	"invalid_expected_sequence": http.StatusBadRequest,
	"invalid_hash":              http.StatusBadRequest,
	"invalid_idempotency_key":   http.StatusBadRequest,
	"invalid_json":              http.StatusBadRequest,
	"invalid_labels":            http.StatusBadRequest,
	"invalid_module_hash":       http.StatusBadRequest,
	"invalid_name":              http.StatusBadRequest,
	"invalid_parameter":         http.StatusBadRequest,
	"invalid_views":             http.StatusBadRequest,
	"invalid_range":             http.StatusBadRequest,
	"not_an_object":             http.StatusBadRequest,
	"query_refused":             http.StatusBadRequest,
	"unsupported_format":        http.StatusBadRequest,
	"value_refused":             http.StatusBadRequest,

	"cross_origin": http.StatusForbidden,

	"log_not_found":      http.StatusNotFound,
	"no_such_path":       http.StatusNotFound,
	"pattern_not_found":  http.StatusNotFound,
	"sequence_not_found": http.StatusNotFound,
	"version_not_found":  http.StatusNotFound,
	"view_not_found":     http.StatusNotFound,

	"method_not_allowed": http.StatusMethodNotAllowed,

	"not_acceptable": http.StatusNotAcceptable,

	"body_timeout": http.StatusRequestTimeout,

	"audit_interrupted": http.StatusConflict,
	"name_taken":        http.StatusConflict,
	"pattern_differs":   http.StatusConflict,
	"sequence_mismatch": http.StatusConflict,
	"unknown_event_id":  http.StatusConflict,
	"view_halted":       http.StatusConflict,
	"view_not_halted":   http.StatusConflict,

	"state_not_kept": http.StatusGone,
	"view_retired":   http.StatusGone,

	"append_too_costly": http.StatusRequestEntityTooLarge,
	"batch_too_large":   http.StatusRequestEntityTooLarge,
	"body_too_large":    http.StatusRequestEntityTooLarge,
	"config_too_large":  http.StatusRequestEntityTooLarge,
	"event_too_large":   http.StatusRequestEntityTooLarge,
	"too_large":         http.StatusRequestEntityTooLarge,

	"query_too_long": http.StatusRequestURITooLong,

	"content_encoding": http.StatusUnsupportedMediaType,

	"host_not_allowed": http.StatusMisdirectedRequest,

	"bad_config":             http.StatusUnprocessableEntity,
	"compile_too_large":      http.StatusUnprocessableEntity,
	"compile_too_slow":       http.StatusUnprocessableEntity,
	"idempotency_key_reused": http.StatusUnprocessableEntity,
	"init_failed":            http.StatusUnprocessableEntity,
	"invalid_config":         http.StatusUnprocessableEntity,
	"invalid_fields":         http.StatusUnprocessableEntity,
	"invalid_gas":            http.StatusUnprocessableEntity,
	"invalid_module":         http.StatusUnprocessableEntity,
	"invalid_pattern":        http.StatusUnprocessableEntity,
	"invalid_reason":         http.StatusUnprocessableEntity,
	"invalid_request":        http.StatusUnprocessableEntity,
	"missing_export":         http.StatusUnprocessableEntity,
	"module_not_found":       http.StatusUnprocessableEntity,
	"module_refused":         http.StatusUnprocessableEntity,
	"not_reproducible":       http.StatusUnprocessableEntity,
	"not_wasm":               http.StatusUnprocessableEntity,
	"state_too_large":        http.StatusUnprocessableEntity,
	"too_many_patterns":      http.StatusUnprocessableEntity,
	"too_many_views":         http.StatusUnprocessableEntity,
	"too_much_gas":           http.StatusUnprocessableEntity,
	"unknown_import":         http.StatusUnprocessableEntity,
	"unsupported_feature":    http.StatusUnprocessableEntity,
	"view_refused_config":    http.StatusUnprocessableEntity,
	"wrong_signature":        http.StatusUnprocessableEntity,

	"internal":     http.StatusInternalServerError,
	"query_failed": http.StatusInternalServerError,

	"no_signing_key": http.StatusNotImplemented,

	"busy":                   http.StatusServiceUnavailable,
	"database_misconfigured": http.StatusServiceUnavailable,
	"database_unavailable":   http.StatusServiceUnavailable,
	"not_ready":              http.StatusServiceUnavailable,
	"outcome_unknown":        http.StatusServiceUnavailable,
	"stopping":               http.StatusServiceUnavailable,
	"too_many_streams":       http.StatusServiceUnavailable,
	"too_many_verifications": http.StatusServiceUnavailable,
	"too_many_watchers":      http.StatusServiceUnavailable,
	"view_building":          http.StatusServiceUnavailable,
}
