# Reads one job a line on stdin and answers one line a job on stdout.

require 'aws-sdk-kms'
require 'aws-sdk-s3'
require 'base64'
require 'digest'
require 'json'
require 'openssl'

KINDS = { 'aes' => :aes_gcm, 'rsa' => :rsa_oaep_sha1, 'kms' => :kms_context }.freeze

# The first bytes of SHA-256(be32(seed) || be32(0)) || SHA-256(be32(seed) || be32(1)) || ...
def plaintext(seed, length)
  blocks = (length + 31) / 32
  (0...blocks).map { |block| Digest::SHA256.digest([seed, block].pack('NN')) }.join.byteslice(0, length)
end

def key_options(job)
  keyring = job['keyring']
  return { kms_key_id: keyring['keyId'], kms_client: kms(job) } if keyring['type'] == 'kms'

  key = keyring['type'] == 'aes' ? Base64.strict_decode64(keyring['key']) : rsa_key(keyring)
  options = { encryption_key: key }
  description = job['materialDescription']
  options[:materials_description] = JSON.generate(description) if description && !description.empty?
  options
end

def rsa_key(keyring)
  OpenSSL::PKey::RSA.new(Base64.strict_decode64(keyring['privateKey']))
end

def kms(job)
  Aws::KMS::Client.new(endpoint: job['kms']['endpoint'], region: job['kms']['region'])
end

def client(job)
  s3 = Aws::S3::Client.new(endpoint: job['s3']['endpoint'], region: job['s3']['region'], force_path_style: true)
  options = key_options(job).merge(client: s3)
  options[:envelope_location] = :instruction_file if job['placement'] == 'instruction-file'
  options[:instruction_file_suffix] = job['instructionFileSuffix'] if job['instructionFileSuffix']
  return Aws::S3::Encryption::Client.new(options) if job['client'] == 'ruby-v1'

  Aws::S3::EncryptionV2::Client.new(
    options.merge(
      key_wrap_schema: KINDS.fetch(job['keyring']['type']),
      content_encryption_schema: :aes_gcm_no_padding,
      security_profile: job['legacy'] ? :v2_and_legacy : :v2
    )
  )
end

def run(job)
  request = { bucket: job['bucket'], key: job['key'] }
  if job['client'] == 'ruby-v2' && job['keyring']['type'] == 'kms'
    context = job['encryptionContext']
    request[:kms_encryption_context] = context if context && !context.empty?
    # Debian's aws-sdk-kms is too old to be told which key to use.
    request[:kms_allow_decrypt_with_any_cmk] = true if job['op'] == 'get'
  end
  if job['op'] == 'put'
    body = plaintext(job['body']['seed'], job['body']['length'])
    client(job).put_object(request.merge(body: body))
    body
  else
    client(job).get_object(request).body.read
  end
end

def answer(job)
  body = run(job)
  { id: job['id'], ok: true, length: body.bytesize, sha256: Digest::SHA256.hexdigest(body) }
rescue StandardError => e
  { id: job['id'], ok: false, error: e.class.name, message: e.message }
end

$stderr = File.open(File::NULL, 'w') # both clients print deprecation notes at every call
$stdout.sync = true
$stdin.set_encoding('UTF-8')
$stdin.each_line { |line| puts JSON.generate(answer(JSON.parse(line))) }
