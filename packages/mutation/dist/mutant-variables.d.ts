/** Environment variables that say which built file a test run has altered, by URL, and its JavaScript. */
export declare const MUTANT_URL = "S3EC_MUTANT_URL";
export declare const MUTANT_CODE = "S3EC_MUTANT_CODE";
