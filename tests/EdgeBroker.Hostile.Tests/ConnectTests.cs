using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Hostile.Tests;

/// <summary>What a client can do to the others before it has logged in.</summary>
public sealed class ConnectTests
{
    [Theory]
    [InlineData(65_535)]
    [InlineData(65_526)]
    [InlineData(1_025)]
    public async Task Client_ids_that_are_too_long_are_refused(int bytes)
    {
        await using Siege siege = await Siege.BeginAsync();
        await using TestClient client = await siege.OpenAsync();
        await client.SendAsync(client.Packets.Connect(new string('x', bytes), properties: Prop.RequestResponseInformation(1)));
        await client.ExpectRefusedAsync(ReasonCode.ClientIdentifierNotValid);
        await siege.SaidAsync("above mqtt.max_client_id_bytes");
        await siege.EndAsync();
    }

    [Theory]
    [InlineData(65_535, false)]
    [InlineData(65_527, false)]
    [InlineData(65_526, true)]
    public async Task Response_information_that_no_field_can_hold_is_left_out(int bytes, bool isThere)
    {
        await using Siege siege = await Siege.BeginAsync(tables: "[mqtt]\nmax_client_id_bytes = 65_535");
        await using TestClient client = await siege.OpenAsync();
        await client.SendAsync(client.Packets.Connect(new string('x', bytes), properties: Prop.RequestResponseInformation(1)));
        ReceivedPacket connack = await client.ExpectConnackAsync();
        Assert.Equal(isThere, connack.Properties.Has(PropertyId.ResponseInformation));
        await siege.EndAsync();
    }

    [Fact]
    public async Task Connects_that_are_never_complete_take_no_place_from_others()
    {
        await using Siege siege = await Siege.BeginAsync();
        // All but the last byte, of the largest CONNECT there may be.
        byte[] connect = Packets.V5.Connect("half", will: new TestWill("t", new string('x', 60_000)), properties: Filled(128 * 1024 - 60_100));
        Assert.InRange(connect.Length, 120 * 1024, 128 * 1024);
        Attacker[] attackers = [.. Enumerable.Range(0, 300).Select(_ => siege.Attack())];
        foreach (Attacker attacker in attackers) await attacker.TrySendAsync(connect[..^1]);
        await siege.SaidAsync("limits.max_unauthenticated_bytes");
        // Beside them, from the same address.
        await using TestClient client = await siege.OpenAsync();
        await client.SendAsync(client.Packets.Connect("beside"));
        await client.ExpectConnackAsync();
        await siege.EndAsync();
    }

    [Fact]
    public async Task A_connect_above_its_bound_is_refused_before_it_is_kept()
    {
        await using Siege siege = await Siege.BeginAsync();
        await using TestClient client = await siege.OpenAsync();
        byte[] connect = Packets.V5.Connect("large", properties: Filled(200 * 1024));
        await client.SendAsync(connect[..8192]);
        await client.ExpectClosedAsync();
        await siege.SaidAsync("above mqtt.max_connect_bytes (131072)");
        await siege.EndAsync();
    }

    // User properties of so many bytes or a little less.
    private static byte[] Filled(int bytes)
    {
        List<byte> properties = [];
        while (properties.Count + 5 < bytes)
        {
            int length = Math.Min(60_000, bytes - properties.Count - 5);
            properties.AddRange(Prop.User("", new string('x', length)));
        }

        return [.. properties];
    }
}
