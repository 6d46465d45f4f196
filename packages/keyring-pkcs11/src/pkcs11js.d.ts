// The binding is optional: where it could not be built its own types are missing too, and this must still compile.
declare module "pkcs11js";
