using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Limits;
using EdgeBroker.Testing;
using EdgeBroker.Webhooks.Tests.Rig;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Webhooks.Tests;

/// <summary>Requests over real HTTP: how they look, and what comes of receivers that fail in every way there is.</summary>
public sealed class DeliveryTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLKSw";
    private const string OldSecret = "whsec_AAAQ9r8GKYqrTwjUPD8ILPZIo2LaLKSw";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 29, 9, 31, 45, 2, TimeSpan.Zero));

    [Fact]
    public async Task A_request_is_signed_so_that_the_library_of_Standard_Webhooks_accepts_it()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        WebhookOptions options = Plant.To(receiver.Url) with { Secrets = [Key(Secret), Key(OldSecret)], Headers = [new("X-Plant", "7")] };
        await using Plant plant = await Plant.StartAsync(null, options);
        Assert.True(plant.Part.SendTest("plant", "anna"));
        Assert.False(plant.Part.SendTest("elsewhere", "anna"));
        await receiver.HasAsync(1);

        Post post = receiver.Posts[0];
        Assert.Equal("/events", post.Path);
        Assert.Equal("application/json; charset=utf-8", post.Headers["Content-Type"]);
        Assert.Equal("edgebroker/1.2.3", post.Headers["User-Agent"]);
        Assert.Equal("7", post.Headers["X-Plant"]);
        Assert.Equal("0", post.Headers["webhook-dropped-before"]);
        Assert.Equal(post.Json.GetProperty("event_id").GetString(), post.Headers["webhook-id"]);
        Assert.Equal("""{"asked_by":"anna"}""", post.Json.GetProperty("data").GetRawText());
        // Either secret alone is enough. That library looks at the first of several only.
        string[] signatures = post.Headers["webhook-signature"].Split(' ');
        Assert.Equal(2, signatures.Length);
        Verify(Secret, post.Body, post);
        Verify(OldSecret, post.Body, post, signatures[1]);
        Assert.ThrowsAny<StandardWebhooks.Diagnostics.WebhookVerificationException>(() => Verify(Secret, post.Body + " ", post));
        Assert.ThrowsAny<StandardWebhooks.Diagnostics.WebhookVerificationException>(() => Verify("whsec_BBBQ9r8GKYqrTwjUPD8ILPZIo2LaLKSw", post.Body, post));
    }

    /// <summary>The end may come at any moment of the task that sends; none of them may miss it.</summary>
    [Fact]
    public async Task An_endpoint_ends_whenever_it_is_asked_to()
    {
        await using Plant plant = await Plant.StartAsync();
        for (int i = 0; i < 300; i++)
        {
            var part = new WebhookPart(
                [Plant.To(new Uri("http://127.0.0.1:9/"))], plant.Broker.Broker, "gw", "1", Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance,
                TimeProvider.System);
            await part.StartAsync(CancellationToken.None);
            if (i % 3 == 1) await Task.Yield();
            if (i % 3 == 2) Thread.SpinWait(i * 10);
            await Deadline.Within(part.DisposeAsync().AsTask(), "the endpoint's end");
        }
    }

    [Fact]
    public async Task Cloud_events_have_their_names_and_types()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        WebhookOptions options = Plant.To(receiver.Url, WebhookEventType.ClientConnected) with { Format = WebhookFormat.CloudEvents };
        await using Plant plant = await Plant.StartAsync(null, options, options with { Name = "batch", BatchEvents = 10 });
        await plant.ConnectAsync("press7");
        await receiver.HasAsync(2);
        Post one = receiver.Posts.Single(post => post.Json.ValueKind == JsonValueKind.Object);
        Post batch = receiver.Posts.Single(post => post.Json.ValueKind == JsonValueKind.Array);
        Assert.Equal("application/cloudevents+json; charset=utf-8", one.Headers["Content-Type"]);
        Assert.Equal("application/cloudevents-batch+json; charset=utf-8", batch.Headers["Content-Type"]);
        Assert.StartsWith("bat_", batch.Headers["webhook-id"], StringComparison.Ordinal);
        foreach (JsonElement json in new[] { one.Json, batch.Json[0] })
        {
            Assert.Equal("1.0", json.GetProperty("specversion").GetString());
            Assert.Equal("urn:edgebroker:gw-017", json.GetProperty("source").GetString());
            Assert.Equal("io.edgebroker.client.connected", json.GetProperty("type").GetString());
            Assert.Equal("press7", json.GetProperty("subject").GetString());
            Assert.Equal("000000000001", json.GetProperty("sequence").GetString());
            Assert.Equal("press7", json.GetProperty("data").GetProperty("client_id").GetString());
        }
    }

    [Fact]
    public async Task A_batch_waits_for_others_until_it_is_full_or_its_time_is_over()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        WebhookOptions options = Plant.To(receiver.Url, WebhookEventType.ClientConnected) with { BatchEvents = 3, BatchDelay = TimeSpan.FromSeconds(5) };
        await using Plant plant = await Plant.StartAsync(_time, options);
        for (int i = 0; i < 4; i++) await plant.ConnectAsync("c" + i.ToString(CultureInfo.InvariantCulture));
        await receiver.HasAsync(1);
        Assert.Equal(3, receiver.Posts[0].Events.Count);
        Assert.Equal(0, receiver.Posts[0].Json.GetProperty("dropped_before_count").GetInt32());
        Assert.Equal(1, plant.State.QueuedEvents);
        await Deadline.AdvanceUntil(_time, () => receiver.Posts.Count == 2, "the rest");
        Assert.Equal("c3", Assert.Single(receiver.Posts[1].Events).GetProperty("data").GetProperty("client_id").GetString());
    }

    [Fact]
    public async Task A_receiver_that_is_down_is_tried_less_and_less_and_gets_everything_in_order_when_it_is_back()
    {
        using var port = new LoopbackPort();
        WebhookOptions options = Plant.To(new Uri($"http://127.0.0.1:{port}/events"), WebhookEventType.ClientConnected);
        await using Plant plant = await Plant.StartAsync(_time, options);
        string[] ids = [.. Enumerable.Range(0, 20).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        foreach (string id in ids) await plant.ConnectAsync(id);
        await Deadline.AdvanceUntil(_time, () => plant.State is { Circuit: CircuitState.Open, FailuresInARow: >= 6 }, "the circuit to open");
        HealthFinding finding = Assert.Single(plant.Part.Findings());
        Assert.Equal(HealthState.Warning, finding.State);
        Assert.Contains("plant has failed since 2026-11-29 09:31:45 UTC", finding.Detail, StringComparison.Ordinal);
        Assert.True(plant.State.NextTryAt > _time.GetUtcNow());
        Assert.True(plant.Broker.Broker.Limits.Ledger.Bytes(MemoryKind.Webhooks) > 0);

        await using Receiver receiver = await Receiver.StartAsync(port.Number);
        await Deadline.AdvanceUntil(_time, () => receiver.Posts.Count == 20, "all events");
        Assert.Equal(ids, receiver.Events.Select(one => one.GetProperty("data").GetProperty("client_id").GetString()));
        await Deadline.Until(() => plant.State.Sent == 20, "the answers");
        Assert.Equal((CircuitState.Closed, 0, 0L), (plant.State.Circuit, plant.State.FailuresInARow, plant.State.Dropped.Values.Sum()));
        Assert.True(plant.State.Failed >= 6);
        Assert.Empty(plant.Part.Findings());
        Assert.Equal(0, plant.Broker.Broker.Limits.Ledger.Bytes(MemoryKind.Webhooks));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(408)]
    [InlineData(425)]
    public async Task What_may_pass_is_tried_again_with_the_same_bytes_and_id(int status)
    {
        await using Receiver receiver = await Receiver.StartAsync();
        receiver.AnswerWith(status);
        await using Plant plant = await Plant.StartAsync(_time, Plant.To(receiver.Url, WebhookEventType.ClientConnected));
        await plant.ConnectAsync("c");
        await Deadline.AdvanceUntil(_time, () => receiver.Posts.Count >= 3, "two more tries");
        receiver.AnswerWith(200);
        await Deadline.AdvanceUntil(_time, () => plant.State.Sent == 1, "it to arrive");
        Assert.Single(receiver.Posts.Select(post => (post.Body, post.Headers["webhook-id"])).Distinct());
        Assert.Equal(receiver.Posts.Count - 1, plant.State.Failed);
    }

    [Fact]
    public async Task Retry_After_is_kept()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        receiver.AnswerWith(429, "Retry-After", "77");
        await using Plant plant = await Plant.StartAsync(_time, Plant.To(receiver.Url, WebhookEventType.ClientConnected));
        await plant.ConnectAsync("c");
        await Deadline.Until(() => plant.State.FailuresInARow == 1, "the answer");
        Assert.Equal(_time.GetUtcNow().AddSeconds(77), plant.State.NextTryAt);
        Assert.Equal("the answer is 429", plant.State.LastFailure);
    }

    [Theory]
    [InlineData(302)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    public async Task What_is_refused_is_dropped_and_counted_and_the_next_is_sent(int status)
    {
        await using Receiver receiver = await Receiver.StartAsync();
        receiver.AnswerWith(status, "Location", "/elsewhere");
        await using Plant plant = await Plant.StartAsync(null, Plant.To(receiver.Url, WebhookEventType.ClientConnected));
        await plant.ConnectAsync("a");
        await Deadline.Until(() => plant.State.Dropped[WebhookDropCause.Rejected] == 1, "the refusal");
        receiver.AnswerWith(200);
        await plant.ConnectAsync("b");
        await receiver.HasAsync(2);
        Assert.All(receiver.Posts, post => Assert.Equal("/events", post.Path));
        Assert.Equal("1", receiver.Posts[1].Headers["webhook-dropped-before"]);
        Assert.Equal(2, receiver.Posts[1].Json.GetProperty("sequence").GetInt32());
    }

    [Fact]
    public async Task A_receiver_that_is_gone_gets_nothing_until_the_configuration_is_read_again()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        receiver.AnswerWith(410);
        WebhookOptions options = Plant.To(receiver.Url, WebhookEventType.ClientConnected);
        await using Plant plant = await Plant.StartAsync(null, options);
        await plant.ConnectAsync("a");
        await Deadline.Until(() => plant.State.Circuit == CircuitState.Off, "it to be given up");
        await plant.ConnectAsync("b");
        Assert.Equal(2, plant.State.Dropped[WebhookDropCause.Rejected]);
        Assert.Contains("no events until", Assert.Single(plant.Part.Findings()).Detail, StringComparison.Ordinal);

        receiver.AnswerWith(200);
        await EventTests.ApplyAsync(plant.Part, options);
        await plant.ConnectAsync("c");
        await receiver.HasAsync(2);
        Assert.Equal("c", receiver.Events[1].GetProperty("data").GetProperty("client_id").GetString());
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_costs_its_time_out_and_the_broker_nothing()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        var never = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = (_, number) => number == 1 ? never.Task : Task.CompletedTask;
        await using Plant plant = await Plant.StartAsync(_time, Plant.To(receiver.Url, WebhookEventType.ClientConnected));
        for (int i = 0; i < 50; i++) await plant.ConnectAsync("c" + i.ToString(CultureInfo.InvariantCulture));
        await receiver.HasAsync(1);
        Assert.Equal(49, plant.State.QueuedEvents);
        await Deadline.AdvanceUntil(_time, () => plant.State.Sent == 50, "everything");
        Assert.Equal((1L, "no answer within 5 s"), (plant.State.Failed, plant.State.LastFailure));
        never.SetResult();
    }

    [Fact]
    public async Task An_answer_without_end_is_read_to_four_kilobytes()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = async (context, _) =>
        {
            byte[] rubbish = new byte[1024];
            try
            {
                while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(rubbish, context.RequestAborted);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
            }

            over.TrySetResult();
        };
        await using Plant plant = await Plant.StartAsync(null, Plant.To(receiver.Url, WebhookEventType.ClientConnected));
        await plant.ConnectAsync("c");
        await Deadline.Until(() => plant.State.Sent == 1, "it to count as arrived");
        await Deadline.Within(over.Task, "the connection to be closed");
    }

    [Fact]
    public async Task A_receiver_that_speaks_no_HTTP_fails()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task rubbish = Task.Run(async () =>
        {
            using Socket socket = await listener.AcceptSocketAsync();
            await socket.SendAsync(Encoding.ASCII.GetBytes("* OK IMAP4rev1 ready\r\n\r\n"));
        });
        await using Plant plant = await Plant.StartAsync(_time, Plant.To(new Uri($"http://{listener.LocalEndpoint}/"), WebhookEventType.ClientConnected));
        await plant.ConnectAsync("c");
        await Deadline.Until(() => plant.State.FailuresInARow == 1, "the failure");
        Assert.NotNull(plant.State.LastFailure);
        await Deadline.Within(rubbish, "the receiver");
    }

    [Fact]
    public async Task Events_that_are_too_old_are_dropped_while_the_receiver_is_away()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        receiver.AnswerWith(500);
        WebhookOptions options = Plant.To(receiver.Url, WebhookEventType.ClientConnected) with { MaxAge = TimeSpan.FromMinutes(2) };
        await using Plant plant = await Plant.StartAsync(_time, options);
        await plant.ConnectAsync("a");
        await plant.ConnectAsync("b");
        await Deadline.AdvanceUntil(_time, () => plant.State.Dropped[WebhookDropCause.Age] == 2, "both to be dropped");
        receiver.AnswerWith(200);
        await plant.ConnectAsync("c");
        await Deadline.AdvanceUntil(_time, () => plant.State.Sent == 1, "the third");
        Assert.Equal("2", receiver.Posts[^1].Headers["webhook-dropped-before"]);
    }

    [Fact]
    public async Task A_stop_sends_what_waits()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        WebhookOptions options = Plant.To(receiver.Url, WebhookEventType.ClientConnected) with { BatchEvents = 50, BatchDelay = TimeSpan.FromSeconds(5) };
        await using Plant plant = await Plant.StartAsync(_time, options);
        for (int i = 0; i < 5; i++) await plant.ConnectAsync("c" + i.ToString(CultureInfo.InvariantCulture));
        foreach (StopPhase phase in Enum.GetValues<StopPhase>())
        {
            await Deadline.Within(plant.Part.StopAsync(phase, TimeSpan.FromSeconds(3)).AsTask(), "the stop");
        }

        Assert.Equal(5, receiver.Events.Count);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_receiver_that_is_down()
    {
        using var port = new LoopbackPort();
        await using Plant plant = await Plant.StartAsync(_time, Plant.To(new Uri($"http://127.0.0.1:{port}/events"), WebhookEventType.ClientConnected));
        await plant.ConnectAsync("a");
        await plant.ConnectAsync("b");
        await Deadline.Until(() => plant.State.FailuresInARow == 1, "the first failure");
        // The clock stands still: nothing but the failure itself can end it.
        await Deadline.Within(plant.Part.StopAsync(StopPhase.Finish, TimeSpan.FromSeconds(3)).AsTask(), "the stop");
        Assert.Equal(0, plant.Broker.Broker.Limits.Ledger.Bytes(MemoryKind.Webhooks));
    }

    [Fact]
    public async Task Another_URL_takes_over_what_waits()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        using var port = new LoopbackPort();
        WebhookOptions away = Plant.To(new Uri($"http://127.0.0.1:{port}/events"), WebhookEventType.ClientConnected);
        await using Plant plant = await Plant.StartAsync(_time, away);
        await plant.ConnectAsync("a");
        await plant.ConnectAsync("b");
        await Deadline.Until(() => plant.State.FailuresInARow == 1, "the first failure");
        await EventTests.ApplyAsync(plant.Part, away with { Url = receiver.Url });
        await receiver.HasAsync(2);
        Assert.Equal(["a", "b"], receiver.Events.Select(one => one.GetProperty("data").GetProperty("client_id").GetString()));
    }

    [Fact]
    public async Task Figures_are_told_by_name_without_what_may_be_a_secret()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await using Plant plant = await Plant.StartAsync(null, Plant.To(receiver.Url, WebhookEventType.ClientConnected));
        await plant.ConnectAsync("a");
        await Deadline.Until(() => plant.State.Sent == 1, "the event");
        Assert.DoesNotContain("s3cret", plant.State.Url, StringComparison.Ordinal);
        var told = plant.Broker.Broker.Meters.Entries.Where(entry => entry.Name.StartsWith("edgebroker.webhook.", StringComparison.Ordinal)).ToList();
        Assert.Equal(8, told.Count);
        Assert.Equal(1, told.Single(entry => entry.Name == "edgebroker.webhook.sent").Read());
        await EventTests.ApplyAsync(plant.Part);
        Assert.All(told, entry => Assert.Null(entry.Read()));
    }

    private static byte[] Key(string secret) => Delivery.WebhookSignature.TryReadSecret(secret, out byte[] key) ? key : throw new FormatException(secret);

    private static void Verify(string secret, string body, Post post, string? signature = null)
    {
        var headers = new HeaderDictionary();
        foreach (string name in new[] { "webhook-id", "webhook-timestamp", "webhook-signature" }) headers[name] = post.Headers[name];
        if (signature is not null) headers["webhook-signature"] = signature;
        new StandardWebhooks.StandardWebhook(secret).Verify(body, headers);
    }
}
