/** Expected failures. Each code has one HTTP status; any other error is a fault of the server (500). */

export const ERROR_STATUS = {
  bad_request: 400,
  bad_video_id: 400,
  bad_segment_number: 400,
  bad_name: 400,
  clip_too_long: 400,
  empty_body: 400,
  digest_mismatch: 400,
  size_mismatch: 400,
  unauthorized: 401,
  forbidden: 403,
  cross_site: 403,
  stream_not_found: 404,
  rendition_not_found: 404,
  moment_not_found: 404,
  marker_not_found: 404,
  captions_not_found: 404,
  not_started: 404,
  not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  request_timeout: 408,
  segment_conflict: 409,
  run_superseded: 409,
  stream_exists: 409,
  marker_conflict: 409,
  too_many_markers: 409,
  too_many_captions: 409,
  too_many_clips: 409,
  file_under_way: 409,
  expired: 410,
  too_large: 413,
  unsupported_media: 415,
  unsupported_format: 400,
  truncated_segment: 422,
  missing_init: 422,
  no_keyframe: 422,
  no_parameter_sets: 422,
  undecodable: 422,
  bad_captions: 422,
  segment_too_long: 422,
  number_too_far: 422,
  too_many_attempts: 429,
  too_many_files: 429,
  not_ready: 503,
  unavailable: 503,
  insufficient_storage: 507,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/**
 * A failure that the caller can understand and act on. On HTTP it becomes `{ code, message, hint }`.
 * A transcode job records it as the segment's outcome; steps on queues retry it like any other error.
 */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint: string) {
    super(message);
    this.name = 'DomainError';
    this.code = code;
    this.hint = hint;
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }

  /** Whether the cause lies with the server, so that the same input may succeed later. */
  get isPassing(): boolean {
    return this.status >= 500;
  }
}
