using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>Every endpoint with right and wrong bodies, and every way to prove who one is with every role.</summary>
public sealed class BodyTests : IAsyncDisposable
{
    private static readonly Dictionary<string, (string Body, int Status)> Right = new(StringComparer.Ordinal)
    {
        ["POST /api/v1/acl/test"] = ("""{"action":"publish","topic":"plant/a","user":"anna"}""", 200),
        ["PUT /api/v1/retained"] = ("""{"payload":"1","qos":1}""", 200),
        ["PUT /api/v1/retained/{topic}"] = ("""{"payload":"1","qos":1}""", 200),
        ["POST /api/v1/retained/delete"] = ("""{"filter":"plant/none/#","expect_count":0}""", 200),
        ["POST /api/v1/login"] = ("""{"user":"anna","password":"geheim"}""", 200),
        ["POST /api/v1/config/check"] = ("{}", 200),
        ["PUT /api/v1/log/levels"] = ("""{"level":"debug","until_seconds":60}""", 428),
        ["POST /api/v1/sessions/delete"] = ("""{"filter":{"client_id":"nobody"},"expect_count":0}""", 200),
        ["POST /publish"] = ("""{"topic":"plant/a","payload":"1"}""", 200),
    };

    // Whatever an endpoint takes, it is none of these.
    private static readonly string[] Wrong =
    [
        "", " ", "{", "}", "[", "\"text\"", "17", "true", "nul", "{\"a\":}", "{\"a\":1}{\"b\":2}", "\u0000", new string('[', 5_000),
        "{\"" + new string('x', 5_000) + "\":1}", "{\"topic\":17,\"filter\":17,\"level\":17,\"toml\":17,\"user\":17,\"payload\":[]}",
    ];

    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Every_body_is_taken_or_refused_and_none_is_a_fault()
    {
        await _host.StartAsync();
        HttpEndpoint[] endpoints = [.. _host.Web.Site.Endpoints.Where(one => one.Takes is not null)];
        Assert.Equal(Right.Keys.Order(StringComparer.Ordinal), endpoints.Select(NameOf).Order(StringComparer.Ordinal));
        foreach (HttpEndpoint endpoint in endpoints)
        {
            string path = PathOf(endpoint), name = NameOf(endpoint);
            foreach (string body in Wrong)
            {
                (int status, string type, string said) = await SendAsync(endpoint.Method, path, Encoding.UTF8.GetBytes(body), "application/json");
                Assert.True(status is 400 or 413 or 422 or 428 && type == "application/problem+json", $"{name} with {Short(body)}: {status} {said}");
            }

            (int other, _, _) = await SendAsync(endpoint.Method, path, "{}"u8.ToArray(), "text/plain");
            Assert.True(other is 415, $"{name} as text: {other}");
            (int large, _, _) = await SendAsync(endpoint.Method, path, new byte[48 << 20], "application/json");
            Assert.True(large is 413, $"{name} with 48 MB: {large}");
            (int right, _, string answer) = await SendAsync(endpoint.Method, path, Encoding.UTF8.GetBytes(Right[name].Body), "application/json");
            Assert.True(right == Right[name].Status, $"{name}: {right} {answer}");
        }

        Assert.Equal(0, _host.Web.Broker.Faults);
    }

    /// <summary>Tokens, passwords and logins of every role, at every endpoint: the role decides, whatever has proved it.</summary>
    [Fact]
    public async Task Every_proof_of_a_role_gets_what_the_role_may()
    {
        await _host.StartAsync();
        HttpEndpoint[] endpoints = [.. _host.Web.Site.Endpoints.Where(one => one.Access is not (EndpointAccess.Open or EndpointAccess.Rules))];
        foreach ((string user, string? token, HttpRole role) in new[]
        {
            ("nobody", null, HttpRole.None), ("vera", ApiHost.ViewerToken, HttpRole.Viewer), ("anna", ApiHost.OperatorToken, HttpRole.Operator),
            ("root", ApiHost.AdminToken, HttpRole.Admin),
        })
        {
            foreach (HttpEndpoint endpoint in endpoints)
            {
                // Those would answer for as long as somebody listens, or end the login.
                if (endpoint.Pattern is "/api/v1/stream" or "/api/v1/mqtt" or "/api/v1/logout") continue;
                await ExpectAsync(_host.User(user), "password");
                if (token is not null) await ExpectAsync(_host.Client(token), "token");

                async Task ExpectAsync(HttpClient client, string proof)
                {
                    (int status, JsonElement body) = await Patience.AskAsync(
                        () => ApiHost.AskAsync(client, endpoint.Method, PathOf(endpoint)), one => one.Status);
                    string what = $"{endpoint.Method} {endpoint.Pattern} by {proof} as {role}: {status}";
                    if (role < endpoint.Role) Assert.True(status == 403 && body.GetProperty("needs").GetString() == endpoint.Role.ToWord(), what);
                    else Assert.True(status is not (401 or 500) && !(status == 403 && body.TryGetProperty("needs", out _)), what);
                    client.Dispose();
                }
            }
        }
    }

    private static string NameOf(HttpEndpoint endpoint) => $"{endpoint.Method} {endpoint.Pattern}";

    private static string PathOf(HttpEndpoint endpoint)
    {
        string path = endpoint.Pattern;
        foreach (string place in new[] { "{client_id}", "{topic}", "{name}", "{id}" }) path = path.Replace(place, "plant%2Fx", StringComparison.Ordinal);
        return path == "/api/v1/retained" && endpoint.IsUnsafe ? path + "?topic=plant%2Fx" : path;
    }

    private static string Short(string body) => JsonSerializer.Serialize(body.Length > 40 ? body[..40] : body);

    private async Task<(int Status, string Type, string Said)> SendAsync(string method, string path, byte[] body, string type)
    {
        using HttpClient client = _host.Client();
        return await Patience.AskAsync(
            async () =>
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
                // A body that is too long is refused before it is read, and the connection with it.
                request.Headers.ExpectContinue = true;
                using HttpResponseMessage response = await client.SendAsync(request);
                return ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync());
            },
            one => one.Item1);
    }
}
