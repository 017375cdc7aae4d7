import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pathOf, signed } from "../src/signature";

/** The example in AWS' documentation of the signature: GET of a part of an object. */
const EXAMPLE = {
  endpoint: new URL("https://examplebucket.s3.amazonaws.com"),
  region: "us-east-1",
  bucket: "",
  user: "AKIAIOSFODNN7EXAMPLE",
  password: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

describe("a signature", () => {
  it("is the one that its makers give as an example", () => {
    const asked = { method: "GET", path: "/test.txt", headers: { range: "bytes=0-9" } };
    const { authorization } = signed(EXAMPLE, asked, new Date("2013-05-24T00:00:00Z"));
    assert.equal(
      authorization,
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, " +
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
  });

  it("never shows the password", () => {
    const headers = signed(EXAMPLE, { method: "GET", path: "/" });
    assert.ok(!JSON.stringify(headers).includes(EXAMPLE.password));
  });
});

describe("the path of an object", () => {
  it("keeps slashes, and writes all else as S3 wants it", () => {
    assert.equal(pathOf("files", "a b/ü(1)'*!.gif"), "/files/a%20b/%C3%BC%281%29%27%2A%21.gif");
    assert.equal(pathOf("files", "100%/x?y#z"), "/files/100%25/x%3Fy%23z");
  });
});
