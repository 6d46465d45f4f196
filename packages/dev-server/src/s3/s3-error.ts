import type { Headers } from "../http/request-target.js";

const statusOf = {
  AccessDenied: 403,
  AnnotationLimitExceeded: 400,
  AnnotationNameTooLong: 400,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BadRequest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IllegalLocationConstraintException: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidAnnotationName: 400,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidBucketState: 409,
  InvalidChunkSizeError: 403,
  InvalidDigest: 400,
  InvalidEncryptionAlgorithmError: 400,
  InvalidObjectState: 403,
  InvalidPart: 400,
  InvalidPartNumber: 416,
  InvalidPartOrder: 400,
  InvalidPrefix: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidTag: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MaxMessageLengthExceeded: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  MissingSecurityHeader: 400,
  NoSuchAnnotation: 404,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchObjectLockConfiguration: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  NotModified: 304,
  ObjectLockConfigurationNotFoundError: 404,
  OperationAborted: 409,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  UnexpectedContent: 400,
  UnsupportedMediaType: 415,
  XAmzContentSHA256Mismatch: 400,
} as const;

/** The codes of errors that this server answers. */
export type S3ErrorCode = keyof typeof statusOf;

/** A refusal in S3's own words: `code` and `details` become elements of the XML error document. */
export class S3Error extends Error {
  /** S3's name for what is wrong. */
  readonly code: S3ErrorCode;
  /** The HTTP status. */
  readonly status: number;
  /** Further elements of the XML document. */
  readonly details: Headers;
  /** Headers that the answer carries beside the document. */
  readonly headers: Headers;

  constructor(code: S3ErrorCode, message: string, details: Headers = {}, headers: Headers = {}) {
    super(message);
    this.name = "S3Error";
    this.code = code;
    this.status = statusOf[code];
    this.details = details;
    this.headers = headers;
  }
}
