/// The error codes of the program (docs/api.md) and the console's own.
export const errorCodes = [
  'invalid_argument', 'malformed_input', 'too_large', 'not_found', 'already_exists', 'conflict', 'unauthenticated',
  'permission_denied', 'policy_denied', 'rate_limited', 'overloaded', 'deadline_exceeded', 'cancelled', 'unavailable',
  'storage_full', 'corrupt', 'unsupported', 'internal',
  'network', 'stalled', 'unexpected',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export function toErrorCode(value: unknown): ErrorCode {
  return (errorCodes as readonly unknown[]).includes(value) ? (value as ErrorCode) : 'unexpected';
}

/// What went wrong: `code` decides the words the user sees, `detail` is the program's own message.
export class ApiError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail = '',
    readonly requestId = '',
    readonly status = 0,
  ) {
    super(`${code}: ${detail}`);
    this.name = 'ApiError';
  }
}

const codeOfStatus: Record<number, ErrorCode> = {
  400: 'invalid_argument', 401: 'unauthenticated', 403: 'permission_denied', 404: 'not_found', 408: 'deadline_exceeded',
  409: 'conflict', 413: 'too_large', 415: 'unsupported', 422: 'malformed_input', 429: 'rate_limited', 500: 'internal', 501: 'unsupported',
  502: 'unavailable', 503: 'unavailable', 504: 'deadline_exceeded', 507: 'storage_full',
};

/// Reads `{"error":{…}}`; a body of another shape (a proxy's page, say) is told by its status.
export function errorOfBody(status: number, body: string): ApiError {
  try {
    const parsed: unknown = JSON.parse(body);
    const error = (parsed as { error?: { code?: unknown; message?: unknown; request_id?: unknown } } | null)?.error;
    if (error && typeof error === 'object') {
      const code = toErrorCode(error.code);
      return new ApiError(
        code === 'unexpected' ? (codeOfStatus[status] ?? code) : code,
        typeof error.message === 'string' ? error.message : '',
        typeof error.request_id === 'string' ? error.request_id : '',
        status,
      );
    }
  } catch {
    // not JSON: fall through to the status
  }
  return new ApiError(codeOfStatus[status] ?? 'unexpected', status ? `HTTP ${status}` : '', '', status);
}

/// An error field of a document or upload: text, or an object with a message.
export function errorText(error: unknown): string {
  if (typeof error === 'string') return error;
  const message = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : '';
}

/// Whatever was thrown, as an ApiError.
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DOMException && error.name === 'AbortError') return new ApiError('cancelled');
  if (error instanceof TypeError) return new ApiError('network');
  return new ApiError('unexpected', error instanceof Error ? error.message : '');
}
