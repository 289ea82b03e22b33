using System.Globalization;
using System.Text.Json;
using EdgeBroker.Core;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>Lists while sessions come and go.</summary>
public sealed class PagingTests : IAsyncDisposable
{
    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    /// <summary>For any sessions, order, filter and length of pages: rows that stay are seen exactly once and in order, and the walk ends.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task A_row_that_stays_is_seen_exactly_once(int seed)
    {
        await _host.StartAsync();
        var random = new Random(seed);
        Broker broker = _host.Web.Broker;
        RoutingContext context = broker.CreateContext();
        var leases = new Dictionary<string, ConnectionLease>(StringComparer.Ordinal);
        for (int i = 0; i < 40; i++) Join();
        string[] stays = [.. leases.Keys.Where(_ => random.Next(3) > 0)];
        int limit = random.Next(2, 8);
        bool isDown = random.Next(2) == 0;
        string q = random.Next(3) switch { 0 => "", 1 => "1", _ => "a/" };
        HttpClient admin = _host.Client();
        string query = $"?limit={limit}&sort={(isDown ? "-" : "")}client_id{(q.Length == 0 ? "" : "&q=" + Uri.EscapeDataString(q))}";
        var seen = new List<string>();
        string? next = null;
        int pages = 0, joined = 40;
        do
        {
            (int status, JsonElement page) = await ApiHost.AskAsync(
                admin, "GET", "/api/v1/sessions" + query + (next is null ? "" : "&after=" + Uri.EscapeDataString(next)));
            Assert.Equal(200, status);
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(row => row.GetProperty("client_id").GetString()!));
            next = page.GetProperty("page").TryGetProperty("next", out JsonElement cursor) ? cursor.GetString() : null;
            // What comes and goes meanwhile, most of it around the place where the walk stands.
            for (int i = random.Next(4); i > 0 && joined < 80; i--, joined++) Join();
            foreach (string leaver in leases.Keys.Except(stays).Where(_ => random.Next(4) == 0).ToArray()) Leave(leaver);
            if (seen.Count > 0 && !stays.Contains(seen[^1])) Leave(seen[^1]);
            Assert.True(++pages <= (joined / limit) + 2, "the walk does not end");
        }
        while (next is not null);

        string[] expected = [.. stays.Where(id => id.Contains(q, StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];
        if (isDown) Array.Reverse(expected);
        Assert.Equal(expected, seen.Where(stays.Contains));
        Assert.Equal(seen.Count, seen.Distinct().Count());

        void Join()
        {
            string number = random.Next(1_000).ToString(CultureInfo.InvariantCulture);
            string id = random.Next(2) == 0 ? "a/" + number : (char)random.Next('!', '~') + number;
            if (leases.ContainsKey(id)) return;
            leases.Add(id, broker.Connect(id, cleanStart: true, new SessionGrant(0, 10, null), context, new QuietLink())!.Value);
        }

        void Leave(string id)
        {
            if (leases.Remove(id, out ConnectionLease lease)) broker.Disconnect(lease, discardWill: true, null, context);
        }
    }

    /// <summary>Which members are asked for changes none of the others.</summary>
    [Fact]
    public async Task Fields_leave_the_other_members_as_they_are()
    {
        await _host.StartAsync();
        RoutingContext context = _host.Web.Broker.CreateContext();
        _host.Web.Broker.Connect("press7", cleanStart: true, new SessionGrant(3600, 10, null), context, new QuietLink());
        HttpClient admin = _host.Client();
        JsonElement whole = await RowAsync("");
        string[] names = [.. whole.EnumerateObject().Select(member => member.Name)];
        Assert.True(names.Length > 5);
        foreach (string name in names)
        {
            JsonElement part = await RowAsync("&fields=" + name);
            JsonProperty only = Assert.Single(part.EnumerateObject());
            Assert.Equal((name, whole.GetProperty(name).GetRawText()), (only.Name, only.Value.GetRawText()));
        }

        async Task<JsonElement> RowAsync(string more)
        {
            (_, JsonElement page) = await ApiHost.AskAsync(admin, "GET", "/api/v1/sessions?client_id=press7" + more);
            return Assert.Single(page.GetProperty("items").EnumerateArray());
        }
    }
}
