using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using EdgeBroker.Core.Management;
using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Api;

/// <summary>A part of a list.</summary>
/// <param name="Items">Its rows.</param>
/// <param name="Page">Which part it is.</param>
public sealed record ListAnswer<T>(IReadOnlyList<T> Items, PageAnswer Page);

/// <summary>Which part of a list an answer holds.</summary>
/// <param name="Limit">Rows it may have.</param>
/// <param name="Next">What <c>after</c> says for the next one; null: this is the last.</param>
/// <param name="TotalCount">Rows of the whole list.</param>
/// <param name="AsOfAt">When it was made.</param>
public sealed record PageAnswer(int Limit, string? Next, long TotalCount, DateTimeOffset AsOfAt)
{
    /// <summary>Whether it is ordered by something that changes meanwhile, and so has no further pages.</summary>
    public bool? Top { get; init; }
}

/// <summary>What every list of the API shares: how long a page is, where it begins, and how it is answered.</summary>
internal static class Lists
{
    public const int UsualLimit = 50;
    public const int MostRows = 1_000;

    /// <summary>The parameters of every list.</summary>
    public static readonly QueryParameter[] Parameters =
    [
        new("limit", "rows, 1 to 1000 (50)", "integer"), new("after", "page.next of the page before"), new("fields", "members of a row, with commas between"),
    ];

    private const char Separator = '\u0001';

    /// <summary>Rows of a page.</summary>
    public static int LimitOf(Exchange exchange) => (int)exchange.QueryNumber("limit", UsualLimit, 1, MostRows);

    /// <summary>The key behind which the page begins; null: with the first.</summary>
    /// <exception cref="HttpProblem">The cursor is of another list.</exception>
    public static string? AfterOf(Exchange exchange)
    {
        if (exchange.Query("after") is not { } cursor) return null;
        try
        {
            string[] parts = Encoding.UTF8.GetString(Base64Url(cursor)).Split(Separator, 2);
            if (parts.Length == 2 && parts[0] == ListOf(exchange)) return parts[1];
        }
        catch (FormatException)
        {
            // Answered as any other that does not fit.
        }

        throw new HttpProblem(ProblemKind.CursorDoesNotFit, "\"after\" is page.next of an answer to the same question");
    }

    /// <summary>Answers with a page.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="page">The page.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="now">The time.</param>
    /// <param name="isTop">Whether it has no further pages, being ordered by something that changes.</param>
    public static Task AnswerAsync<T>(Exchange exchange, Page<T> page, JsonTypeInfo<ListAnswer<T>> type, DateTimeOffset now, bool isTop = false)
    {
        string? next = page.Next is null ? null : ToCursor(ListOf(exchange) + Separator + page.Next);
        var answer = new ListAnswer<T>(page.Items, new PageAnswer(LimitOf(exchange), next, page.Total, now) { Top = isTop ? true : null });
        if (exchange.Query("fields") is not { } fields) return exchange.AnswerAsync(answer, type);
        string[] wanted = fields.Split(',', StringSplitOptions.RemoveEmptyEntries);
        JsonObject all = JsonSerializer.SerializeToNode(answer, type)!.AsObject();
        foreach (JsonNode? row in all["items"]!.AsArray())
        {
            JsonObject members = row!.AsObject();
            foreach (string name in members.Select(member => member.Key).Except(wanted, StringComparer.Ordinal).ToArray()) members.Remove(name);
        }

        return exchange.AnswerAsync(Encoding.UTF8.GetBytes(all.ToJsonString()), "application/json");
    }

    /// <summary>A page of a list that is at hand as a whole.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="all">The list, in a fixed order.</param>
    /// <param name="keyOf">What orders it, each once.</param>
    public static Page<T> PageOf<T>(Exchange exchange, IEnumerable<T> all, Func<T, string> keyOf)
    {
        int limit = LimitOf(exchange);
        string? after = AfterOf(exchange);
        T[] rows = [.. all];
        T[] rest = after is null ? rows : [.. rows.SkipWhile(row => keyOf(row) != after).Skip(1)];
        T[] items = [.. rest.Take(limit)];
        return new Page<T>(items, rest.Length > limit ? keyOf(items[^1]) : null, rows.Length);
    }

    // The same question, but for where its page begins and what of its rows is shown.
    private static string ListOf(Exchange exchange) => Exchange.TagOf(Encoding.UTF8.GetBytes(exchange.QuestionWithout("after", "limit", "fields")));

    private static string ToCursor(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static byte[] Base64Url(string text)
    {
        string plain = text.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(plain.PadRight((plain.Length + 3) / 4 * 4, '='));
    }
}
