using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeBroker.Http.Routing;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing.Published;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>The OpenAPI document that is served says what there is.</summary>
public sealed class OpenApiTests : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    /// <summary>With EDGEBROKER_WRITE_OPENAPI set, the document is written anew. The console's own pages are no part of it.</summary>
    [Fact]
    public async Task The_document_follows_from_the_endpoints()
    {
        await _host.StartAsync();
        string made = OpenApiDocument.Of([.. _host.Web.Site.Endpoints.Where(one => one.Surface != HttpSurfaces.Console)]).ToJsonString(Indented) + "\n";
        string path = Path.Combine(RepositoryRoot.Find(), "src", "EdgeBroker.Http", "Api", "openapi.json");
        if (Environment.GetEnvironmentVariable("EDGEBROKER_WRITE_OPENAPI") is { Length: > 0 }) await File.WriteAllTextAsync(path, made);
        Assert.Equal(await File.ReadAllTextAsync(path), made);
        (int status, JsonElement served) = await ApiHost.AskAsync(_host.Client(ApiHost.ViewerToken), "GET", "/api/v1/openapi.json");
        Assert.Equal(200, status);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(made), JsonNode.Parse(served.GetRawText())));
    }

    [Fact]
    public async Task Every_reference_of_the_document_leads_somewhere()
    {
        await _host.StartAsync();
        var found = new List<string>();
        Walk(OpenApiDocument.Of(_host.Web.Site.Endpoints));
        Assert.NotEmpty(found);
        Assert.All(found, reference => Assert.Equal("#/components/responses/Problem", reference));

        void Walk(JsonNode? node)
        {
            if (node is JsonObject members)
            {
                if (members["$ref"] is JsonValue reference) found.Add(reference.GetValue<string>());
                foreach (KeyValuePair<string, JsonNode?> member in members) Walk(member.Value);
            }
            else if (node is JsonArray items)
            {
                foreach (JsonNode? item in items) Walk(item);
            }
        }
    }

    [Fact]
    public async Task Every_endpoint_is_described_in_words_and_named_once()
    {
        await _host.StartAsync();
        HttpEndpoint[] endpoints = [.. _host.Web.Site.Endpoints];
        Assert.All(endpoints, endpoint => Assert.NotEmpty(endpoint.Summary));
        Assert.All(
            endpoints.Where(endpoint => endpoint.IsUnsafe && endpoint.Surface != HttpSurfaces.Health), endpoint => Assert.NotNull(endpoint.Action));
        Assert.Equal(endpoints.Length, endpoints.Select(endpoint => endpoint.Method + endpoint.Pattern).Distinct().Count());
    }
}
