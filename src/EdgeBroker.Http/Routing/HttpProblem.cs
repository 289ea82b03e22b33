using System.Diagnostics.CodeAnalysis;

namespace EdgeBroker.Http.Routing;

/// <summary>A request is refused: what an endpoint throws, and the client gets as <c>application/problem+json</c>.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "Problem is the word of RFC 9457.")]
public sealed class HttpProblem : Exception
{
    /// <param name="kind">The kind.</param>
    /// <param name="detail">Why, for the person who asked; one sentence without a full stop, and no secrets.</param>
    public HttpProblem(ProblemKind kind, string detail)
        : base(detail)
    {
        Kind = kind;
    }

    /// <summary>The kind.</summary>
    public ProblemKind Kind { get; }

    /// <summary>MQTT's reason code, where there is one.</summary>
    public int? ReasonCode { get; init; }

    /// <summary>The role that is needed, where that is the problem.</summary>
    public string? Needs { get; init; }

    /// <summary>How many there are, where another number was expected.</summary>
    public long? Count { get; init; }

    /// <summary>What is wrong, one by one.</summary>
    public IReadOnlyList<ProblemError>? Errors { get; init; }

    /// <summary>After how many seconds it is worth another try; null: nobody knows.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>A parameter with an impossible value.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="value">Its value.</param>
    /// <param name="expected">What it may be.</param>
    public static HttpProblem Parameter(string name, string? value, string expected) =>
        new(ProblemKind.InvalidParameter, $"{name} must be {expected}") { Errors = [new ProblemError { At = name, Is = value, Expected = expected }] };
}

/// <summary>One thing that is wrong.</summary>
public sealed record ProblemError
{
    /// <summary>The parameter or member.</summary>
    public string? At { get; init; }

    /// <summary>Its value.</summary>
    public string? Is { get; init; }

    /// <summary>What it may be.</summary>
    public string? Expected { get; init; }

    /// <summary>The file, of a configuration.</summary>
    public string? File { get; init; }

    /// <summary>The line, of a configuration.</summary>
    public int? Line { get; init; }

    /// <summary>The column, of a configuration.</summary>
    public int? Column { get; init; }

    /// <summary>What is wrong, in words.</summary>
    public string? Message { get; init; }
}

/// <summary>A refusal as it is answered (RFC 9457).</summary>
public sealed record ProblemAnswer(string Type, string Title, int Status, string Detail, string? Instance, string RequestId)
{
    /// <summary>MQTT's reason code.</summary>
    public int? ReasonCode { get; init; }

    /// <summary>The role that is needed.</summary>
    public string? Needs { get; init; }

    /// <summary>How many there are.</summary>
    public long? Count { get; init; }

    /// <summary>What is wrong, one by one.</summary>
    public IReadOnlyList<ProblemError>? Errors { get; init; }

    internal static ProblemAnswer Of(HttpProblem problem, string? instance, string requestId) =>
        new(problem.Kind.Type, problem.Kind.Title, problem.Kind.Status, problem.Message, instance, requestId)
        {
            ReasonCode = problem.ReasonCode,
            Needs = problem.Needs,
            Count = problem.Count,
            Errors = problem.Errors,
        };
}
