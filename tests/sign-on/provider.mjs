// A real OpenID Connect provider on loopback, with its own log-in pages: whoever types an address there has
// it. Prints its issuer, and ends with its standard input.
//
// `unverified@…`: an address that the provider has not verified.
import http from "node:http";
import Provider from "oidc-provider";

const server = http.createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "glasshour",
      client_secret: "a secret of + two words",
      redirect_uris: ["http://127.0.0.1/login/sign-on/callback"],
    },
  ],
  pkce: { required: () => true, methods: ["S256"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  cookies: { keys: ["for a test alone"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: `subject of ${id}`, email: id, email_verified: !id.startsWith("unverified") }),
  }),
});
// The server under test takes a port that the system picks; native clients may do that (RFC 8252).
provider.Client.prototype.redirectUriAllowed = (address) => {
  const url = new URL(address);
  return url.hostname === "127.0.0.1" && url.pathname === "/login/sign-on/callback";
};
server.on("request", provider.callback());
console.log(issuer);
