using System.Text.Json.Serialization.Metadata;
using EdgeBroker.Http.Access;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Routing;

/// <summary>Who may call an endpoint.</summary>
public enum EndpointAccess
{
    /// <summary>Anybody.</summary>
    Open,

    /// <summary>Anybody by a listener that serves neither API nor console, a viewer by another.</summary>
    OpenApart,

    /// <summary>Whoever the listener lets in; what they may, the access rules say.</summary>
    Rules,

    /// <summary>Whoever has the role of a viewer, or a higher one.</summary>
    Viewer,

    /// <summary>An operator or admin.</summary>
    Operator,

    /// <summary>An admin.</summary>
    Admin,
}

/// <summary>A parameter of a query.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Meaning">What it does.</param>
/// <param name="Type">Its JSON type: <c>string</c>, <c>integer</c> or <c>boolean</c>.</param>
public sealed record QueryParameter(string Name, string Meaning, string Type = "string");

/// <summary>
/// One thing to be asked for over HTTP. Registered at an <see cref="HttpSite"/>; from its description follow who may call it, which parameters are accepted,
/// and its part of the OpenAPI document.
/// </summary>
/// <param name="Surface">What of a listener it belongs to; it is not there where the listener does not serve that.</param>
/// <param name="Method">The method; GET answers HEAD, too.</param>
/// <param name="Pattern">
/// Its path. <c>{name}</c> is one segment, decoded once; <c>{*name}</c> one or more, joined by the slashes that stood between them.
/// </param>
/// <param name="Access">Who may call it.</param>
/// <param name="Handle">Answers a request, or throws an <see cref="HttpProblem"/>.</param>
public sealed record HttpEndpoint(HttpSurfaces Surface, string Method, string Pattern, EndpointAccess Access, Func<Exchange, Task> Handle)
{
    /// <summary>The longest body of an endpoint that does not say otherwise.</summary>
    public const int UsualBodyBytes = 1024 * 1024;

    /// <summary>What it does, in half a sentence.</summary>
    public string Summary { get; init; } = "";

    /// <summary>The parameters it accepts; any other is refused, since a misspelt filter must never widen what is deleted.</summary>
    public IReadOnlyList<QueryParameter> Query { get; init; } = [];

    /// <summary>The JSON it takes; null: none.</summary>
    public JsonTypeInfo? Takes { get; init; }

    /// <summary>The JSON it answers; null: none, or another type.</summary>
    public JsonTypeInfo? Answers { get; init; }

    /// <summary>The type of an answer that is not JSON.</summary>
    public string? AnswersType { get; init; }

    /// <summary>The longest body it takes, asked with each request; null: <see cref="UsualBodyBytes"/>.</summary>
    public Func<int>? MaxBodyBytes { get; init; }

    /// <summary>Whether the answer is a list, which may be compressed: it does not hold secrets.</summary>
    public bool IsList { get; init; }

    /// <summary>Whether what is read by it is noted in the audit.</summary>
    public bool IsAudited { get; init; }

    /// <summary>Whether a login that is used for it is not idle: what goes on by itself, as a stream does, keeps nobody logged in.</summary>
    public bool IsActivity { get; init; } = true;

    /// <summary>What audit calls it: <c>session.kick</c>.</summary>
    public string? Action { get; init; }

    /// <summary>The pattern's segments.</summary>
    internal string[] Segments { get; } = Pattern[1..].Split('/');

    /// <summary>The role it needs; none: anybody, or whom the rules permit.</summary>
    internal HttpRole Role => Access switch
    {
        EndpointAccess.Viewer or EndpointAccess.OpenApart => HttpRole.Viewer,
        EndpointAccess.Operator => HttpRole.Operator,
        EndpointAccess.Admin => HttpRole.Admin,
        _ => HttpRole.None,
    };

    /// <summary>Whether it changes something, as its method says.</summary>
    internal bool IsUnsafe => Method is not "GET";
}
