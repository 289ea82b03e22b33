using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>The OpenAPI document that follows from endpoints.</summary>
internal static class OpenApiDocument
{
    private static readonly JsonSchemaExporterOptions Schemas = new() { TreatNullObliviousAsNonNullable = true };

    public static JsonObject Of(IEnumerable<HttpEndpoint> endpoints)
    {
        var paths = new JsonObject();
        foreach (IGrouping<string, HttpEndpoint> path in endpoints.GroupBy(one => one.Pattern.Replace("{*", "{", StringComparison.Ordinal)))
        {
            var operations = new JsonObject();
            foreach (HttpEndpoint endpoint in path) operations[endpoint.Method.ToLowerInvariant()] = OperationOf(endpoint, path.Key);
            paths[path.Key] = operations;
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "EdgeBroker",
                ["version"] = "1.0",
                ["description"] = "Publishing, health and administration of an EdgeBroker. A client id or topic below /api/v1 is one segment of the path, "
                    + "percent-encoded as a whole; below /topics slashes part levels.",
                ["license"] = new JsonObject { ["name"] = "see the repository", ["identifier"] = "LicenseRef-EdgeBroker" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["tags"] = new JsonArray([.. endpoints.Select(TagOf).Distinct().Select(tag => (JsonNode)new JsonObject { ["name"] = tag })]),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["token"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
                    ["password"] = new JsonObject { ["type"] = "http", ["scheme"] = "basic" },
                    ["login"] = new JsonObject { ["type"] = "apiKey", ["in"] = "cookie", ["name"] = "eb" },
                },
                ["responses"] = new JsonObject
                {
                    ["Problem"] = new JsonObject
                    {
                        ["description"] = "Refused, and why (RFC 9457)",
                        ["content"] = Content("application/problem+json", HttpJson.Default.ProblemAnswer),
                    },
                },
            },
        };
    }

    private static JsonObject OperationOf(HttpEndpoint endpoint, string path)
    {
        var parameters = new JsonArray();
        foreach (string segment in path.Split('/').Where(segment => segment.StartsWith('{')))
        {
            parameters.Add(new JsonObject
            {
                ["name"] = segment.Trim('{', '}'),
                ["in"] = "path",
                ["required"] = true,
                ["schema"] = new JsonObject { ["type"] = "string" },
            });
        }

        foreach (QueryParameter parameter in endpoint.Query)
        {
            var one = new JsonObject { ["name"] = parameter.Name, ["in"] = "query" };
            if (parameter.Meaning.Length > 0) one["description"] = parameter.Meaning;
            one["schema"] = new JsonObject { ["type"] = parameter.Type };
            parameters.Add(one);
        }

        var operation = new JsonObject
        {
            ["operationId"] = IdOf(endpoint),
            ["summary"] = endpoint.Summary,
            ["tags"] = new JsonArray(TagOf(endpoint)),
            ["x-access"] = endpoint.Access.ToString().ToLowerInvariant(),
        };
        if (parameters.Count > 0) operation["parameters"] = parameters;
        if (endpoint.Takes is { } takes)
        {
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content("application/json", takes) };
        }

        var success = new JsonObject { ["description"] = "Done" };
        if (endpoint.Answers is { } answers) success["content"] = Content("application/json", answers);
        else if (endpoint.AnswersType is { } type) success["content"] = new JsonObject { [type] = new JsonObject() };
        operation["responses"] = new JsonObject
        {
            [endpoint is { Answers: null, AnswersType: null } ? "204" : "200"] = success,
            ["4XX"] = new JsonObject { ["$ref"] = "#/components/responses/Problem" },
            ["5XX"] = new JsonObject { ["$ref"] = "#/components/responses/Problem" },
        };
        operation["security"] = endpoint.Access == EndpointAccess.Open ? [] : new JsonArray(
            new JsonObject { ["token"] = new JsonArray() }, new JsonObject { ["password"] = new JsonArray() }, new JsonObject { ["login"] = new JsonArray() });
        return operation;
    }

    private static JsonObject Content(string type, JsonTypeInfo info) =>
        new() { [type] = new JsonObject { ["schema"] = SchemaOf(info) } };

    // The exporter refers to what it has described before from the schema's own root, which is none within a document.
    private static JsonNode SchemaOf(JsonTypeInfo info)
    {
        JsonNode root = info.GetJsonSchemaAsNode(Schemas);
        return Whole(root, root);
    }

    private static JsonNode Whole(JsonNode node, JsonNode root)
    {
        switch (node)
        {
            case JsonObject { Count: 1 } reference when reference["$ref"] is { } path:
                return Whole(path.GetValue<string>()[2..].Split('/').Aggregate(root, (at, step) => at is JsonArray array
                    ? array[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]! : at[step]!), root);
            case JsonObject members:
                return new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, member.Value is null ? null : Whole(member.Value, root))));
            case JsonArray items:
                return new JsonArray([.. items.Select(item => item is null ? null : Whole(item, root))]);
            default:
                return node.DeepClone();
        }
    }

    private static string TagOf(HttpEndpoint endpoint) => endpoint.Surface switch
    {
        HttpSurfaces.Health => "health",
        HttpSurfaces.Publish => "publish",
        HttpSurfaces.Metrics => "metrics",
        HttpSurfaces.Console => "console",
        _ => "administration",
    };

    private static string IdOf(HttpEndpoint endpoint)
    {
        IEnumerable<string> words = endpoint.Pattern.Split('/', '-').Where(one => one.Length > 0 && one is not ("api" or "v1"))
            .Select(one => (one.StartsWith('{') ? "_by_" + one.Trim('{', '}', '*') : one).Replace(".", "_", StringComparison.Ordinal));
        return endpoint.Method.ToLowerInvariant() + "_" + string.Join('_', words).Replace("__", "_", StringComparison.Ordinal);
    }
}
