"""Reads an envelope with other people's code: argv is the public key in PEM, then envelopes."""

import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

with open(sys.argv[1], "rb") as file:
    public = load_pem_public_key(file.read())

for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    key = SSlibKey.from_crypto(public, keyid=data["signatures"][0]["keyid"])
    envelope = Envelope.from_dict(data)
    assert envelope.payload_type == "application/vnd.in-toto+json"
    assert list(envelope.verify([key], 1).values()) == [key]
    envelope.payload += b" "
    try:
        envelope.verify([key], 1)
        raise SystemExit("it verifies what was not signed")
    except VerificationError:
        envelope.payload = envelope.payload[:-1]

    message = json_format.Parse(envelope.payload, statement_pb2.Statement())
    statement = Statement.copy_from_pb(message)
    statement.validate()
    for subject in message.subject:
        ((algorithm, digest),) = subject.digest.items()
        assert len(digest) == 64 and subject.name
        # Of an artifact of which a part is left out, it is no digest of the file.
        assert algorithm == ("sha256Rest" if "leftOut" in subject.annotations else "sha256")
    predicate = json.loads(envelope.payload)["predicate"]
    if message.predicate_type == "https://slsa.dev/provenance/v1":
        # Strictly: a name that the format does not have is an error.
        provenance = json_format.ParseDict(predicate, provenance_pb2.Provenance())
        for dependency in provenance.build_definition.resolved_dependencies:
            ResourceDescriptor.copy_from_pb(dependency).validate()
        assert provenance.build_definition.build_type and provenance.run_details.builder.id
    if message.predicate_type == "https://slsa.dev/verification_summary/v1":
        # These bindings are of SLSA 1.0, and a verifier's version came with 1.1; and they have one level
        # where every version of the specification has a list.
        assert all(isinstance(version, str) for version in predicate["verifier"].pop("version").values())
        assert all(isinstance(level, str) for level in predicate.pop("verifiedLevels"))
        summary = json_format.ParseDict(predicate, vsa_pb2.VerificationSummary())
        assert summary.verification_result == "PASSED" and summary.policy.uri and summary.resource_uri
    print("valid", message.predicate_type)
