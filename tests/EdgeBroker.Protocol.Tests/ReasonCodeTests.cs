using EdgeBroker.Fuzz.Naive;

namespace EdgeBroker.Protocol.Tests;

/// <summary>The reason code tables against the specification's.</summary>
public class ReasonCodeTests
{
    [Fact]
    public void Every_code_is_allowed_in_exactly_the_packets_of_the_specification()
    {
        for (int packet = 0; packet < 16; packet++)
        {
            int[] specified = SpecifiedReasonCodes.Of(packet) ?? [];
            for (int code = 0; code < 256; code++)
            {
                bool allowed = ((ReasonCode)code).IsAllowedIn((PacketType)packet);
                if (allowed != specified.Contains(code)) Assert.Fail($"{code:X2} in {(PacketType)packet}: {allowed}");
            }
        }
    }

    [Fact]
    public void A_client_disconnects_with_the_codes_of_the_specification()
    {
        for (int code = 0; code < 256; code++) Assert.Equal(SpecifiedReasonCodes.OfClientDisconnect.Contains(code), ((ReasonCode)code).IsClientDisconnect());
    }

    [Fact]
    public void Every_named_code_belongs_to_some_packet_and_every_code_of_the_tables_has_a_name()
    {
        int[] specified = [.. Enumerable.Range(0, 16).SelectMany(packet => SpecifiedReasonCodes.Of(packet) ?? []).Distinct().Order()];
        Assert.Equal(specified, Enum.GetValues<ReasonCode>().Select(code => (int)code).Order());
    }

    [Fact]
    public void Codes_from_0x80_are_errors()
    {
        for (int code = 0; code < 256; code++) Assert.Equal(code >= 128, ((ReasonCode)code).IsError());
    }

    [Theory]
    [InlineData(0, ReasonCode.Success)]
    [InlineData(1, ReasonCode.UnsupportedProtocolVersion)]
    [InlineData(2, ReasonCode.ClientIdentifierNotValid)]
    [InlineData(3, ReasonCode.ServerUnavailable)]
    [InlineData(4, ReasonCode.BadUserNameOrPassword)]
    [InlineData(5, ReasonCode.NotAuthorized)]
    public void The_return_codes_of_3_1_1_map_both_ways(byte returnCode, ReasonCode code)
    {
        Assert.Equal(returnCode, code.ToConnectReturnCode());
        Assert.Equal(code, ReasonCodes.FromConnectReturnCode(returnCode));
    }

    [Fact]
    public void Reserved_return_codes_are_failures()
    {
        for (int returnCode = 6; returnCode < 256; returnCode++) Assert.Equal(ReasonCode.UnspecifiedError, ReasonCodes.FromConnectReturnCode((byte)returnCode));
    }

    [Theory]
    [InlineData(ReasonCode.MalformedPacket)]
    [InlineData(ReasonCode.ProtocolError)]
    [InlineData(ReasonCode.UnspecifiedError)]
    [InlineData(ReasonCode.PacketTooLarge)]
    public void A_failure_without_a_return_code_of_3_1_1_has_none(ReasonCode code) => Assert.Null(code.ToConnectReturnCode());

    [Fact]
    public void No_failure_maps_to_accepted()
    {
        foreach (ReasonCode code in Enum.GetValues<ReasonCode>()) Assert.True(code == ReasonCode.Success || code.ToConnectReturnCode() != 0);
    }
}
